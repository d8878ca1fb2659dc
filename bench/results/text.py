"""Banners above the figures of a run, and printing of text."""

from __future__ import annotations

from bench.io.printing import printable
from bench.results import RunRecord
from bench.results.kinds import EFFICIENCY, recorded_kind

SAMPLE = "SAMPLE DATA, not {0}: its people are drawn and do not exist. Figures on it say nothing about {0}."


def banners(record: RunRecord) -> list[str]:
    """The banners to show above every figure of this run."""
    lines = []
    if record.smoke:
        lines.append(f"SMOKE RUN{_limits(record)}: not a result, for testing only")
    if record.sample:
        lines.append(SAMPLE.format(record.data["name"]))
    return lines


def _limits(record: RunRecord) -> str:
    """The limits of a smoke run, in words."""
    what = "timed passes" if recorded_kind(record.protocol) == EFFICIENCY else record.protocol.get("items", "probes")
    probes = "" if record.limit is None else f" on {record.limit:,} {what}"
    gallery = "" if record.limit_gallery is None else f" in a gallery cut to mates and {record.limit_gallery:,} others"
    return probes + gallery


def print_line(text: str = "") -> None:
    """Print a line without control characters from files; line breaks are kept only at its start."""
    body = text.lstrip("\n")
    print("\n" * (len(text) - len(body)) + printable(body))
