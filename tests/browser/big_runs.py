"""Run folders of any size, drawn from a seed: what a page must stay quick with."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.evaluation.identification.figures import figures_of
from bench.results import ProbeRow, RoleLedger, RunResult
from bench.results.folder import write_run

YAWS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
_POOL = 64  # distinct pictures of a kind


def write_runs(folder: Path, report_fixtures: Any, *, probes: int, runs: int, images: bool) -> list[Path]:
    """Write run folders of one protocol on the same data; two probes in three have the person of another one."""
    pools = {kind: [_face(side, i) for i in range(_POOL)] for kind, side in _SIDES.items()}
    paths = []
    for run in range(runs):
        label = "none" if run == 0 else f"method-{run:02d}"
        rows = tuple(_row(i, rank, probes) for i, rank in enumerate(_ranks(probes, run)))
        record = replace(
            report_fixtures._record(label, "sface", {}, {}, probes),
            metrics=figures_of(rows, ranks=report_fixtures.RANKS, mean_average_precision=True, seed=0),
            ledger={"probe": RoleLedger(probes, probes, 0, 0, {})},
        )
        paths.append(folder / label)
        members = _members(probes, run, pools) if images else None
        write_run(paths[-1], RunResult(record, rows, ()), images=members)
    return paths


_SIDES = {"lr": 16, "out": 64, "mate": 64, "impostor": 64}


def _ranks(probes: int, run: int) -> list[int]:
    """What is hard for one method is hard for all: differences are small, as they are in life."""
    hard = np.random.default_rng(1).normal(size=probes)
    noise = np.random.default_rng([2, run]).normal(size=probes)
    return [max(1, int(np.exp(1.5 + 1.6 * h + 0.5 * o - 0.04 * run))) for h, o in zip(hard, noise, strict=True)]


def _row(i: int, rank: int, probes: int) -> ProbeRow:
    best = 0.6 - 0.05 * float(np.log(rank)) + 0.0001 * (i % 97)
    other = best - 0.05 if rank == 1 else best + 0.01
    where: dict[str, str | float] = {"yaw_deg": YAWS[i % len(YAWS)] * (1 if i % 2 else -1)}
    person = f"person {i * 2 // 3:05d}"
    return ProbeRow(
        f"Probe/{i:05d}.jpg",
        person,
        "ok",
        "",
        "",
        1,
        rank,
        rank,
        (rank,),
        best,
        f"Gallery/{i}",
        other,
        "Distractor/0",
        where,
    )


def _members(probes: int, run: int, pools: dict[str, list[bytes]]) -> Iterator[tuple[str, bytes]]:
    for i in range(probes):
        yield f"lr/{i:06d}.png", pools["lr"][i % _POOL]
        if run:
            yield f"out/{i:06d}.png", pools["out"][(i + 5 * run) % _POOL]
        yield f"mate/{i:06d}.png", pools["mate"][i % _POOL]
        yield f"impostor/{i:06d}.png", pools["impostor"][(i + 3 + run % 4) % _POOL]


def _face(side: int, seed: int) -> bytes:
    """A smooth blot: as large a file as a small face."""
    small = np.random.default_rng([side, seed]).integers(40, 220, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()
