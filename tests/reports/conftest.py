"""Run folders made for the tests of reports: drawn from a seed, figures computed by the suite itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.results import LedgerRow, ProbeRow, RoleLedger, RunRecord, RunResult, StageRecord
from bench.runfolder import write_run
from bench.summary import figures

MakeRun = Callable[..., Path]
RANKS = (1, 5, 10, 20, 50)
FAILED = 7  # the probe of every run that cannot be decoded


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder: ``make_run("lr", label="none", quality=0.0, ranks=None, ...record fields)``."""

    def make(
        folder: str,
        *,
        label: str = "none",
        quality: float = 0.0,
        ranks: list[int | None] | None = None,
        names: Callable[[int], tuple[str, str]] = lambda i: (f"Probe/{i % 8}_{i}.jpg", f"p{i % 8}"),
        images: bool = True,
        recogniser: str = "sface",
        protocol: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        **record_fields: Any,
    ) -> Path:
        if ranks is None:
            draws = np.random.default_rng([len(label), round(100 * quality)]).normal(size=24) + quality
            ranks = [max(1, int(np.exp(2 - 1.5 * draw))) for draw in draws]
            ranks[FAILED] = None
        rows = tuple(_row(i, rank, *names(i)) for i, rank in enumerate(ranks))
        failed = sum(row.status == "failed" for row in rows)
        record = RunRecord(
            bench_version="0.1.0",
            label=label,
            created="2026-01-02T03:04:05+00:00",
            smoke=False,
            limit=None,
            sample=False,
            config={"recogniser": recogniser, "align": None, "align_gallery": None, "hallucinate": "probe"},
            config_digest="c0ffee",
            protocol={
                "name": "tinyface",
                "arguments": {},
                "version": "1",
                "similarity": "euclidean",
                "unit_length": True,
                "flip": False,
                "ranks": list(RANKS),
                "mean_average_precision": True,
                **(protocol or {}),
            },
            data={
                "name": "tinyface",
                "official": False,
                "digest": "d1gest",
                "counts": {"probe": len(rows), "gallery": 16, "distractor": 1234},
                "notes": ["Fewer probes than published."],
                "root": "/secret/place",
                **(data or {}),
            },
            stages=(
                StageRecord("hallucinate", "probe", label, "3", {"size": 112}, (), "a paper", "MIT"),
                StageRecord("align", "probe", "none", "1", {}, ()),
                StageRecord("embed", "probe", recogniser, "1", {}, ({"name": "w.onnx", "sha256": "5ace"},)),
                StageRecord("align", "gallery", "none", "1", {}, ()),
            ),
            metrics=figures(rows, ranks=RANKS, mean_average_precision=True, seed=0),
            ledger={
                "probe": RoleLedger(len(rows), len(rows) - failed, 0, failed, {"decode: file is empty": failed}),
                "distractor": RoleLedger(1234, 1230, 4, 0, {"align: face not found": 4}),
            },
            warnings=(),
            timings={"embed (probe)": {"seconds": 12.34, "images": 24}},
            environment={"python": "3.12.1", "commit": "abcdef0", "device": "cpu", "packages": {"numpy": "2.4.6"}},
            seed=0,
        )
        ledger = tuple(LedgerRow(r.key, "probe", r.status, r.stage, r.reason) for r in rows if r.status != "ok")
        result = RunResult(replace(record, **record_fields), rows, ledger)
        members = [m for i, row in enumerate(rows) for m in _members(i, row, label)] if images else None
        write_run(tmp_path / "runs" / folder, result, images=members)
        return tmp_path / "runs" / folder

    return make


def _row(i: int, rank: int | None, key: str, identity: str) -> ProbeRow:
    if rank is None:
        return ProbeRow(key, identity, "failed", "decode", "file is empty", 1, None, None, (), None, "", None, "")
    best = 0.5 - 0.001 * rank
    other = best - 0.05 if rank == 1 else best + 0.01
    return ProbeRow(key, identity, "ok", "", "", 1, rank, rank, (rank,), best, f"Gallery/{i}", other, "Distractor/0")


def _members(i: int, row: ProbeRow, label: str) -> list[tuple[str, bytes]]:
    if row.rank is None:
        return []
    sizes = {"lr": 16, "mate": 48, "impostor": 48, **({} if label == "none" else {"out": 64})}
    return [(f"{kind}/{i:06d}.png", _png(size, i)) for kind, size in sizes.items()]


def _png(size: int, shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (10 * shade % 256, 80, 120)).save(buffer, "png")
    return buffer.getvalue()
