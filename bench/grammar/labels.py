"""Names that users give to runs: ``--label NAME`` and ``NAME=RUN``."""

from __future__ import annotations

LONGEST_LABEL = 60
RESERVED = ("none", "strongest")
"""Names with a meaning of their own in ``bench report --baseline``."""


def label_fault(label: str) -> str:
    """Why a text cannot name a run; empty where it can."""
    if not label.strip() or len(label) > LONGEST_LABEL or not label.isprintable():
        return f"{label[:LONGEST_LABEL]!r} is not a name of 1 to {LONGEST_LABEL} printable characters"
    if "=" in label or "/" in label:
        return f"{label!r} has '=' or '/', which a name of a run may not have"
    return f"{label!r} has a meaning of its own in reports; choose another name" if label in RESERVED else ""
