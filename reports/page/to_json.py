"""A report as JSON: the ``run.json`` of every run, the comparisons, and the run folders that were left out.

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
_OMITTED = ("group", "notice")


def to_report(page: Page) -> str:
    """The text of ``report.json``: strict JSON in ASCII, keys in a fixed order, nothing rounded."""
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
    first = section.group.first.record
    return {
        "number": section.number,
        "kind": section.group.kind,
        "protocol": section.group.protocol,
        "data": section.group.dataset,
        "data_digest": first.data["digest"],
        "official": first.data.get("official"),
        "sample": first.sample,
        "banners": list(section.banners),
        "notes": list(section.notes),
        "figures": list(section.figures.names),
        "runs": [
            {
                "name": entry.name,
                "folder": entry.run.folder_name,
                "baseline": entry.comparison.baseline_name if entry.comparison else None,
                "identities": entry.run.identities,
                "record": record_object(entry.run),
            }
            for entry in section.entries
        ],
        "comparisons": _comparisons(section),
    }


def record_object(run: Run) -> dict[str, object]:
    """``run.json`` without paths of the machine of the run."""
    record = asdict(run.record)
    record["config"] = {key: value for key, value in record["config"].items() if key not in PLACES}
    record["data"] = {key: value for key, value in record["data"].items() if key != "root"}
    return {key: _finite(value) for key, value in record.items()}


def _comparisons(section: Section) -> Sequence[Mapping[str, object]]:
    rows = paired({section.number: section.comparisons}).to_dict("records")
    return [{str(key): _value(value) for key, value in row.items() if key not in _OMITTED} for row in rows]


def _finite(value: object) -> object:
    """The value with inf and nan, which JSON does not have, as text."""
    if isinstance(value, Mapping):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _value(value: object) -> object:
    """The value of a table cell, None where it is NaN, which means a gap."""
    return None if isinstance(value, float) and math.isnan(value) else value
