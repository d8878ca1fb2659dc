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

from bench.evaluation.efficiency import figures as efficiency_figures
from bench.evaluation.efficiency import measure as efficiency
from bench.evaluation.expression import figures as expression
from bench.evaluation.identification.figures import figures_of
from bench.evaluation.restoration import figures as restoration
from bench.evaluation.verification import figures as verification
from bench.results import ItemRow, LedgerRow, ProbeRow, RoleLedger, RunRecord, RunResult, StageRecord
from bench.results.folder import write_run

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
        record = replace(
            _record(label, recogniser, protocol or {}, data or {}, len(rows)),
            metrics=figures_of(rows, ranks=RANKS, mean_average_precision=True, seed=0),
            ledger={
                "probe": RoleLedger(len(rows), len(rows) - failed, 0, failed, {"decode: file is empty": failed}),
                "distractor": RoleLedger(1234, 1230, 4, 0, {"align: face not found": 4}),
            },
        )
        ledger = tuple(LedgerRow(r.key, "probe", r.status, r.stage, r.reason) for r in rows if r.status != "ok")
        result = RunResult(replace(record, **record_fields), rows, ledger)
        members = [m for i, row in enumerate(rows) for m in _members(i, row, label)] if images else None
        write_run(tmp_path / "runs" / folder, result, images=members)
        return tmp_path / "runs" / folder

    return make


@pytest.fixture
def make_other(tmp_path: Path) -> MakeRun:
    """Write a run folder of another kind: ``make_other("cost", "efficiency", label="net", quality=0.0, ...)``."""

    def make(folder: str, kind: str, *, label: str = "none", quality: float = 0.0, **fields: Any) -> Path:
        result = other_result(kind, label=label, quality=quality, **fields)
        members = []
        if kind == "restoration":
            members = [(f"{name}/{i:06d}.png", _png(32, i)) for i in range(8) for name in ("lr", "out", "truth")]
        write_run(tmp_path / "runs" / folder, result, images=members)
        return tmp_path / "runs" / folder

    return make


def other_result(
    kind: str, *, label: str = "none", quality: float = 0.0, labels: tuple[str, ...] = ("calm", "glad"), **fields: Any
) -> RunResult:
    """A run of a kind that searches no gallery; its figures are the suite's own."""
    arrays: dict[str, Any] = {}
    rules: dict[str, Any] = {"kind": kind, "items": {"efficiency": "measurements"}.get(kind, "faces")}
    if kind == "verification":
        arrays = {
            "scores": np.random.default_rng(3).normal(size=40).astype(np.float32) + np.arange(40) % 2 * (1 + quality),
            "same": np.arange(40) % 2 == 1,
            "fold": (np.arange(40) // 10).astype(np.int16),
            "person": (np.arange(40) % 7).astype(np.int32),
        }
        arrays["scores"] = arrays["scores"].astype(np.float32)
        arrays["scores"][4:6] = np.nan
        rules |= {"items": "pairs", "false_positive_rates": [0.1], "thresholds": "exact", "far_rule": "exact"}
        rules |= {"similarity": "cosine"}
        items = verification.rows_of(arrays, verification.figures_of(arrays, rules, seed=None)[1])
        module: Any = verification
    elif kind == "restoration":
        items = tuple(_restored(i, quality) for i in range(8))
        rules |= {"conventions": {"psnr_db": "psnr-rgb-full-255"}}
        module = restoration
    elif kind == "expression":
        items = tuple(_expression_row(i, labels) for i in range(12))
        rules |= {"labels": list(labels), "classifier": {"name": "a-classifier", "epochs": 3}, "folds tested": [0, 1]}
        module = expression
    else:
        items = tuple(efficiency._items({1: _answer(12.0 - quality), 2: _answer(9.0)}))
        rules |= {"parameters": f"counted in {label}", "memory": "resident memory", "batches": [1, 2], "cores": 1}
        module = efficiency_figures
    record = replace(
        _record(label, "sface", {"name": kind, **rules}, {"name": f"{kind} data"}, len(items)),
        ledger={"probe": RoleLedger(8, 7, 0, 1, {"decode: empty": 1}), "gallery": RoleLedger(0, 0, 0, 0, {})},
    )
    result = RunResult(replace(record, **fields), (), (), items, arrays)
    return replace(result, record=replace(result.record, metrics=module.figures(result)))


def _restored(i: int, quality: float) -> ItemRow:
    where = {"yaw_deg": (22.0, -22.0, 75.0, -75.0)[i % 4]}
    if i == 3:
        return ItemRow(f"f{i}", f"p{i % 3}", "failed", "decode", "empty", {}, where)
    values: dict[str, str | float] = {"psnr_rgb_db": "inf" if i == 5 else 20.0 + i + quality, "psnr_y_db": 21.5 + i}
    values |= {"ssim_rgb_wang": 0.5 + i / 50, "ssim_y": 0.6, "identity_similarity": i / 10 - 0.3}
    values |= {"landmarks_found": float(i % 2), **({"landmark_error": 0.9 + i / 10} if i % 2 else {})}
    return ItemRow(f"f{i}", f"p{i % 3}", "ok", "", "", values, where)


def _expression_row(i: int, labels: tuple[str, ...]) -> ItemRow:
    values: dict[str, str | float] = {"expression": labels[i % 2], "fold": i % 3 % 2, "predicted (bicubic)": labels[0]}
    if i == 4:
        return ItemRow(f"f{i}", f"p{i % 4}", "failed", "decode", "empty", values)
    return ItemRow(f"f{i}", f"p{i % 4}", "ok", "", "", {**values, "predicted": labels[i % 4 % 3 % 2]})


def _answer(middle: float) -> Any:
    return efficiency.TimingResult(
        (middle, middle + 2, middle - 1), 40.25, "resident memory", (26_500_000, 60, "n", ())
    )


def _record(label: str, recogniser: str, protocol: dict[str, Any], data: dict[str, Any], probes: int) -> RunRecord:
    return RunRecord(
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
            **protocol,
        },
        data={
            "name": "tinyface",
            "official": False,
            "digest": "d1gest",
            "counts": {"probe": probes, "gallery": 16, "distractor": 1234, "probe identities": 7},
            "notes": ["Fewer probes than published."],
            "root": "/secret/place",
            **data,
        },
        stages=(
            StageRecord("hallucinate", "probe", label, "3", {"size": 112}, (), "a paper", "MIT"),
            StageRecord("align", "probe", "none", "1", {}, ()),
            StageRecord("embed", "probe", recogniser, "1", {}, ({"name": "w.onnx", "sha256": "5ace"},)),
            StageRecord("align", "gallery", "none", "1", {}, ()),
        ),
        metrics={},
        ledger={},
        warnings=(),
        timings={"embed (probe)": {"seconds": 12.34, "images": 24}},
        environment={"python": "3.12.1", "commit": "abcdef0", "device": "cpu", "packages": {"numpy": "2.4.6"}},
        seed=0,
    )


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
