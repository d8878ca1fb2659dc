"""Description of the installation, for the diagnosis of problems. May import components and everything below."""

from __future__ import annotations

from bench.installation.facts import Fact, examined

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
    """Collect all facts; a failed examination becomes a fact too, and nothing is raised.

    Returns:
        The facts, section by section in the order of `SECTIONS`. Nothing of the machine or the user's data is changed.
    """
    from bench.installation.machine import device_facts, system_facts
    from bench.installation.packages import package_facts, plugin_facts
    from bench.installation.storage import data_facts, storage_facts, weight_facts

    return [
        *examined("system", "system", system_facts),
        *examined("packages", "packages", package_facts),
        *examined("devices", "devices", device_facts),
        *examined("plugins", "plugins", plugin_facts),  # loads the components for the following sections
        *examined("storage", "storage", storage_facts),
        *examined("weights", "weights", weight_facts),
        *examined("data", "data", data_facts),
    ]
