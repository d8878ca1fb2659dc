"""Runs as the paper's tables want them: data set, LR side and chain are written into runs of the other tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PaperRun = Callable[..., Path]


@pytest.fixture
def paper_run(make_run: Callable[..., Path], make_other: Callable[..., Path]) -> PaperRun:
    """``paper_run("a", "restoration", "drgan+srgan", data="mmi", lr=16, quality=1.0, ...record fields)``."""

    def make(
        folder: str,
        kind: str,
        label: str,
        *,
        data: str = "celeba",
        lr: int | None = 16,
        quality: float = 0.0,
        arguments: dict[str, Any] | None = None,
        weights: str = "",
        **fields: Any,
    ) -> Path:
        if kind == "identification":
            path = make_run(folder, label=label, quality=quality, **fields)
        else:
            path = make_other(folder, kind, label=label, quality=quality, **fields)
        file = path / "run.json"
        record = json.loads(file.read_text())
        record["data"]["name"] = data
        record["protocol"]["arguments"] = {} if lr is None else {"lr": lr}
        others = [stage for stage in record["stages"] if stage["stage"] != "hallucinate"]
        files = [{"name": weights, "sha256": "5ace"}] if weights else []
        steps = [
            {"stage": "hallucinate", "side": "probe", "name": name, "version": "1", "arguments": arguments or {},
             "weights": files, "source": "", "licence": ""}
            for name in label.split("+")
        ]  # fmt: skip
        record["stages"] = steps + others
        file.write_text(json.dumps(record))
        return path

    return make


@pytest.fixture
def ablation(tmp_path: Path) -> Callable[..., Path]:
    """Write a table of ``bench ablate``: ``ablation("abl", full=(26.0, 0.9), minus=(24.0, 0.8))``."""

    def make(folder: str, *, smoke: bool = False, lr: int = 16, **variants: tuple[float, float] | None) -> Path:
        (tmp_path / folder).mkdir()
        rows = []
        for key, pair in variants.items():
            name = {"vtn": "v-tn", "vgt": "v+gt"}.get(key, key)
            cells = {
                measure: {"value": value, "low": value - 0.01, "high": value + 0.01, "probes": 16, "failed": 0,
                          "infinite": 0}
                for measure, value in zip(("psnr_db", "ssim", "rank_1"), (*pair, 0.5), strict=True)
            } if pair else {}  # fmt: skip
            rows.append({"variant": name, "label": f"label {name}", "losses": [], "cells": cells, "differences": {},
                         "stages": {}, "failure": "" if pair else "out of memory"})  # fmt: skip
        facts = {"told": {"Pack": "c0ffee"}, "recipe": {"lr": lr}, "smoke": smoke}
        (tmp_path / folder / "table.json").write_text(json.dumps({"facts": facts, "variants": rows}))
        return tmp_path / folder

    return make


@pytest.fixture
def tally(tmp_path: Path) -> Callable[..., Path]:
    """Write a tally of ``bench userstudy tally``: ``tally("t.json", vividgan=0.7, tann=0.3)``."""

    def make(name: str, *, notes: tuple[str, ...] = (), **shares: float) -> Path:
        votes = [
            {"letter": "A", "method": method, "picks": round(100 * share), "share": share, "low": share / 2,
             "high": None, "interval": "none"}
            for method, share in shares.items()
        ]  # fmt: skip
        plain = {"shares": votes, "participants": 4, "answered": 100, "notes": list(notes)}
        (tmp_path / name).write_text(json.dumps(plain))
        return tmp_path / name

    return make
