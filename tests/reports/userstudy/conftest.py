"""Runs with images, written as the runner does, and the study made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.images import encode_png
from bench.results import ItemRow, ProbeRow, RunRecord, RunResult, StageRecord
from bench.results.folder import write_run

HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u2028{{ 7*7 }}"
SIDE = {"lr": 4, "out": 12, "mate": 12, "truth": 12}


def picture(kind: str, face: int, method: int = 0) -> bytes:
    """A flat picture, other for each kind, face and method."""
    level = {"lr": 20, "out": 60, "mate": 200, "truth": 230}[kind]
    side = SIDE[kind]
    return encode_png(np.full((side, side, 3), (level + 5 * method, 10 * face, 7), np.uint8))


def record(label: str, **changes: object) -> RunRecord:
    values: dict[str, object] = {
        "bench_version": "0",
        "label": label,
        "created": "2026-01-01T00:00:00+00:00",
        "smoke": False,
        "limit": None,
        "sample": False,
        "config": {},
        "config_digest": "c",
        "protocol": {"name": "tinyface", "arguments": {}, "kind": "identification"},
        "data": {"name": "tinyface", "digest": "d", "stat_digest": "s", "official": False, "counts": {}},
        "stages": (StageRecord("embed", "probe", "sface", "1", {}, ()),),
        "metrics": {},
        "ledger": {},
        "warnings": (),
        "timings": {},
        "environment": {},
        "seed": 0,
    }
    return RunRecord(**(values | changes))  # type: ignore[arg-type]


def make_run(
    folder: Path,
    label: str,
    *,
    faces: int = 8,
    method: int = 0,
    items: bool = False,
    failed: Sequence[int] = (),
    without: Sequence[str] = (),
    images: bool = True,
    people: int = 4,
    **changes: object,
) -> Path:
    """Write a run folder: ``without`` names members that are left out."""
    keys = [f"{HOSTILE}/{face}.jpg" for face in range(faces)]
    identities = [f"{HOSTILE}{face % people}" for face in range(faces)]
    status = ["failed" if face in failed else "ok" for face in range(faces)]
    if items:
        changes["protocol"] = {"name": "celeba", "arguments": {}, "kind": "restoration"}
    rows = (
        ()
        if items
        else tuple(
            ProbeRow(k, i, s, "", "", 1, 1, 1, (1,), 0.9, "mate", 0.1, "other", {}, "", k)  # type: ignore[arg-type]
            for k, i, s in zip(keys, identities, status, strict=True)
        )
    )
    result = tuple(ItemRow(k, i, s, "", "") for k, i, s in zip(keys, identities, status, strict=True)) if items else ()  # type: ignore[arg-type]
    kinds = ("lr", "out", "truth") if items else ("lr", "out", "mate")
    members = [
        (f"{kind}/{face:06d}.png", picture(kind, face, method if kind == "out" else 0))
        for face in range(faces)
        for kind in kinds
        if f"{kind}/{face:06d}.png" not in without
    ]
    write_run(folder, RunResult(record(label, **changes), rows, (), result), images=members if images else None)
    return folder


@pytest.fixture
def run() -> Callable[..., Path]:
    """Write a run folder; see `make_run`."""
    return make_run


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Three runs with hostile names."""
    return [make_run(tmp_path / f"run{k}", f"{HOSTILE}method{k}", method=k) for k in range(3)]
