"""Parses rows of a run's CSV files: each cell must have the type that a run writes there, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from bench.io.strictfiles import parse_finite, parse_json, parse_whole
from bench.results import ItemRow, LedgerRow, ProbeRow
from bench.types import Role, Status


def probe_from_cells(cells: Mapping[str, str]) -> ProbeRow:
    """A row of ``per_probe.csv``; raises KeyError or ValueError where a cell is absent or of another type."""
    return ProbeRow(
        key=cells["key"],
        identity=cells["identity"],
        status=_status(cells["status"]),
        stage=cells["stage"],
        reason=cells["reason"],
        mates=_count(cells["mates"]),
        rank=_rank(cells["rank"]) if cells["rank"] else None,
        rank_optimistic=_rank(cells["rank_optimistic"]) if cells["rank_optimistic"] else None,
        mated_ranks=tuple(_rank(part) for part in cells["mated_ranks"].split(";") if part),
        best_mated_score=_optional_float(cells["best_mated_score"]),
        best_mated_key=cells["best_mated_key"],
        best_nonmated_score=_optional_float(cells["best_nonmated_score"]),
        best_nonmated_key=cells["best_nonmated_key"],
        attributes=_table(cells["attributes"]),
        gallery=cells.get("gallery", ""),
        template=cells.get("template", ""),
    )


def item_from_cells(cells: Mapping[str, str]) -> ItemRow:
    """A row of ``per_item.csv``; raises as `probe_from_cells`."""
    return ItemRow(
        key=cells["key"],
        identity=cells["identity"],
        status=_status(cells["status"]),
        stage=cells["stage"],
        reason=cells["reason"],
        values=_table(cells["values"]),
        attributes=_table(cells["attributes"]),
    )


def ledger_from_cells(cells: Mapping[str, str]) -> LedgerRow:
    """A row of ``ledger.csv``; raises as `probe_from_cells`."""
    role = cells["role"]
    if role not in ("gallery", "probe", "distractor"):
        raise ValueError(f"unknown role {role[:40]!r}")
    return LedgerRow(cells["key"], cast("Role", role), _status(cells["status"]), cells["stage"], cells["reason"])


def _status(text: str) -> Status:
    if text not in ("ok", "fallback", "failed"):
        raise ValueError(f"unknown status {text[:40]!r}")
    return cast("Status", text)


def _count(text: str) -> int:
    number = parse_whole(text)
    if number < 0:
        raise ValueError(f"{text} mates")
    return number


def _rank(text: str) -> int:
    number = parse_whole(text)
    if number < 1:
        raise ValueError(f"rank {text}; ranks start at 1")
    return number


def _optional_float(text: str) -> float | None:
    return parse_finite(text) if text else None


def _table(text: str) -> dict[str, str | float]:
    table = parse_json(text)
    if not isinstance(table, dict):
        raise ValueError("values or attributes are not a table")
    for name, value in table.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"{name[:40]!r} holds values that are neither text nor numbers")
    return table
