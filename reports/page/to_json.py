"""A report as JSON: every run as its ``run.json`` says, the comparisons, what was left out.

Its schema is ``docs/report.schema.json``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from reports.page.model import Page, Section
from reports.page.to_csv import paired
from reports.runs.differences import PLACES
from reports.runs.run import Run
from reports.text.tables import to_json

FORMAT = "face-hallucination-bench report"
VERSION = 1
_NEEDLESS = ("group", "notice")


def to_report(page: Page) -> str:
    """The text of ``report.json``: strict JSON of ASCII alone, keys in a fixed order, nothing rounded."""
    return to_json(
        {
            "format": FORMAT,
            "version": VERSION,
            "title": page.title,
            "banners": list(page.banners),
            "sections": [_section(section) for section in page.sections],
            "left_out": [{"folder": item.folder_name, "reason": item.reason} for item in page.skipped],
        }
    )


def _section(section: Section) -> dict[str, object]:
    first = section.entries[0].run.record
    return {
        "number": section.number,
        "kind": section.kind,
        "protocol": section.protocol,
        "data": section.dataset,
        "data_digest": first.data["digest"],
        "official": first.data.get("official"),
        "sample": first.sample,
        "banners": list(section.banners),
        "notes": list(section.notes),
        "figures": list(section.metrics),
        "runs": [
            {
                "name": entry.name,
                "folder": entry.run.folder_name,
                "baseline": entry.pair.baseline_name if entry.pair else None,
                "identities": entry.run.identities,
                "record": record_object(entry.run),
            }
            for entry in section.entries
        ],
        "comparisons": _comparisons(section),
    }


def record_object(run: Run) -> dict[str, object]:
    """``run.json`` without the places on the machine that it was made on."""
    found = asdict(run.record)
    found["config"] = {key: value for key, value in found["config"].items() if key not in PLACES}
    found["data"] = {key: value for key, value in found["data"].items() if key != "root"}
    return {key: _strict(value) for key, value in found.items()}


def _comparisons(section: Section) -> Sequence[Mapping[str, object]]:
    rows = paired({section.number: section.pairs}).to_dict("records")
    return [{str(key): _value(value) for key, value in row.items() if key not in _NEEDLESS} for row in rows]


def _strict(value: object) -> object:
    """The same without numbers that JSON has not (inf, nan), which a run.json by hand may hold: as text."""
    if isinstance(value, Mapping):
        return {key: _strict(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _value(value: object) -> object:
    """Tables hold gaps as NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value
