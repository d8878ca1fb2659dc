"""What the scripts of a page are given: the scripts themselves, by hash, and data as JSON that no markup can leave."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files

from reports.page.model import Section
from reports.statistics.pairwise import Rivalry
from reports.text import numbers
from reports.text.tables import signed

SCRIPTS = (
    "dom.js", "sorting.js", "filtering.js", "baseline.js", "faces.js", "finding.js", "listing.js", "closeup.js",
    "viewer.js", "start.js",
)  # fmt: skip
"""In the order in which they are joined; one function scope holds all of them."""


@cache
def script() -> str:
    """All scripts of the page as one: comments stay in the files, and no checkout changes line ends."""
    parts = [(files("reports") / "static" / name).read_text(encoding="utf-8") for name in SCRIPTS]
    lines = [line for part in parts for line in part.splitlines() if line and not line.lstrip().startswith("//")]
    return "\n".join(["(() => {", '"use strict";', *lines, "})();", ""])


def script_hash() -> str:
    """What a Content-Security-Policy names the script by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script().encode()).digest()).decode('ascii')}"


def inert(value: object) -> str:
    r"""Strict JSON for a ``<script type="application/json">``: ASCII, and no ``<``, ``>`` or ``&`` in it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def board_data(section: Section) -> dict[str, object]:
    """The runs of a section and their paired differences, worded here: scripts show text and round nothing."""
    return {
        "runs": [numbers.plain(entry.name) for entry in section.entries],
        "figures": [
            {
                "name": numbers.metric(name),
                "unit": "points" if standing.unit == "fraction" else numbers.unit_word(standing.unit),
                "pairs": {f"{i},{j}": _pair(pair, standing.unit) for (i, j), pair in standing.pairs.items()},
            }
            for name, standing in section.standings.items()
            if standing.pairs
        ],
    }


def _pair(pair: Rivalry, unit: str) -> list[object]:
    """Difference, both ways round in words, both intervals in words, and the rows they are over."""
    low, high = pair.interval.low, pair.interval.high
    if low is None or high is None:
        ranges = [pair.interval.method, pair.interval.method]
    else:
        ranges = [f"{signed(a, unit)} to {signed(b, unit)}" for a, b in ((low, high), (-high, -low))]
    return [pair.difference, signed(pair.difference, unit), signed(-pair.difference, unit), *ranges, pair.n]
