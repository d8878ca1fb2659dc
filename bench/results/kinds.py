"""The kinds of runs by name, as ``run.json`` records them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IDENTIFICATION = "identification"
VERIFICATION = "verification"
RESTORATION = "restoration"
EXPRESSION = "expression"
EFFICIENCY = "efficiency"


def recorded_kind(rules: Mapping[str, Any]) -> str:
    """The kind of a run from the entry ``protocol`` of its record; identification if it has none."""
    return str(rules.get("kind", IDENTIFICATION))
