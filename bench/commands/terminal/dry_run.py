"""The output of ``bench run --dry-run``: what would be measured, and how long it would take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.execution.estimate import MEASURED_IMAGES, Estimate
from bench.progress import duration

_STATES = {
    "new": "would be written",
    "finished": "finished: nothing would be computed",
    "outdated": "would be replaced",
}


def estimate_lines(out: Path, result: Estimate) -> list[str]:
    """The estimate of one run as text."""
    lines = [f"{out}: {_STATES[result.state]}{f' ({result.reason})' if result.reason else ''}"]
    for role in result.roles:
        each = "" if role.seconds_each is None else f", {role.seconds_each:.3f} s each"
        lines.append(f"  {role.role + ':':<12} {role.images:,} images{each}")
    return lines


def total_line(results: Sequence[Estimate]) -> str:
    """The time of all runs in words, and what it leaves out."""
    if all(result.state == "finished" for result in results):
        return "Nothing would be computed."
    known = [result.seconds for result in results if result.seconds is not None]
    if len(known) < len(results):
        return "The time is not estimated: only searches and pairs are."
    return (
        f"about {duration(sum(known))} if nothing is in the cache, measured on {MEASURED_IMAGES} images of each role. "
        "Searches, tests of the output, the LR face for the diagnosis and images for reports are not counted."
    )


def estimate_object(out: Path, result: Estimate) -> dict[str, object]:
    """The estimate of one run for JSON."""
    return {
        "folder": str(out),
        "state": result.state,
        "reason": result.reason,
        "images": {role.role: role.images for role in result.roles},
        "seconds_each": {role.role: role.seconds_each for role in result.roles},
        "seconds": result.seconds,
    }
