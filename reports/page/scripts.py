"""The scripts of a page, named by their hash, and their data as JSON that cannot be read as markup."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files

from reports.page.model import Section
from reports.statistics.pairwise import PairedDifference
from reports.text import numbers
from reports.text.tables import signed

SCRIPTS = (
    "dom.js", "sorting.js", "filtering.js", "baseline.js", "faces.js", "finding.js", "listing.js", "closeup.js",
    "viewer.js", "start.js",
)  # fmt: skip
"""In the order in which they are joined, in one function scope."""


@cache
def script() -> str:
    """All scripts of the page as one, without comments; line ends do not depend on the checkout."""
    parts = [(files("reports") / "static" / name).read_text(encoding="utf-8") for name in SCRIPTS]
    lines = [line for part in parts for line in part.splitlines() if line and not line.lstrip().startswith("//")]
    return "\n".join(["(() => {", '"use strict";', *lines, "})();", ""])


def script_hash() -> str:
    """The hash by which a Content-Security-Policy allows the script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script().encode()).digest()).decode('ascii')}"


def inert(value: object) -> str:
    r"""Strict JSON for a ``<script type="application/json">``: ASCII, and no ``<``, ``>`` or ``&`` in it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def board_data(section: Section) -> dict[str, object]:
    """The runs of a section and their paired differences as text, so that scripts round nothing."""
    return {
        "runs": [numbers.plain(entry.name) for entry in section.entries],
        "figures": [
            {
                "name": numbers.metric(name),
                "unit": "points" if ranking.unit == "fraction" else numbers.unit_word(ranking.unit),
                "pairs": {f"{i},{j}": _pair(pair, ranking.unit) for (i, j), pair in ranking.pairs.items()},
            }
            for name, ranking in section.figures.rankings.items()
            if ranking.pairs
        ],
    }


def _pair(pair: PairedDifference, unit: str) -> list[object]:
    """The difference, its text with either sign, the text of the interval likewise, and the number of rows."""
    low, high = pair.interval.low, pair.interval.high
    if low is None or high is None:
        ranges = [pair.interval.method, pair.interval.method]
    else:
        ranges = [f"{signed(a, unit)} to {signed(b, unit)}" for a, b in ((low, high), (-high, -low))]
    return [pair.difference, signed(pair.difference, unit), signed(-pair.difference, unit), *ranges, pair.n]
