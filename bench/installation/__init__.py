"""What this installation is made of: the first thing to look at when something does not work as expected."""

from __future__ import annotations

from bench.installation.facts import Fact, guarded

__all__ = ["Fact", "describe"]

SECTIONS = {
    "system": "System",
    "packages": "Python and packages",
    "devices": "Devices",
    "storage": "Storage",
    "weights": "Weights",
    "data": "Data sets",
    "plugins": "Plugins",
}
"""Headings of the sections, in their order."""


def describe() -> list[Fact]:
    """Look at everything; what cannot be looked at is a fact that says so, and nothing is raised.

    Returns:
        The facts, section by section in the order of `SECTIONS`. Nothing of the machine or the user's data is changed.
    """
    from bench.installation.machine import device_facts, system_facts
    from bench.installation.packages import package_facts, plugin_facts
    from bench.installation.storage import data_facts, storage_facts, weight_facts

    return [
        *guarded("system", "system", system_facts),
        *guarded("packages", "packages", package_facts),
        *guarded("devices", "devices", device_facts),
        *guarded("plugins", "plugins", plugin_facts),  # loads the components that the following look at
        *guarded("storage", "storage", storage_facts),
        *guarded("weights", "weights", weight_facts),
        *guarded("data", "data", data_facts),
    ]
