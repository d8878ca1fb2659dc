"""Training on a CUDA device: it learns, stops and goes on, and what it keeps can be read without one."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType

import pytest
import torch

from hallucinators.training.loop import checkpoint
from hallucinators.training.loop.run import train

if not torch.cuda.is_available():
    pytest.skip("there is no CUDA device", allow_module_level=True)


def test_a_run_on_a_gpu_learns_and_goes_on_where_it_stopped(toy: ModuleType, tmp_path: Path) -> None:
    settings = toy.settings(device="cuda")
    task = toy.ToyTask(noisy=False)
    half = train(task, toy.ToySource(), toy.settings(device="cuda", steps=6), tmp_path / "a", lambda line: None)
    assert half.steps == 6 and next(task.net.parameters()).is_cuda
    whole = train(toy.ToyTask(noisy=False), toy.ToySource(), settings, tmp_path / "a", lambda line: None)
    assert whole.steps == 12
    train(toy.ToyTask(noisy=False), toy.ToySource(), settings, tmp_path / "b", lambda line: None)
    one, other = (list(csv.DictReader((tmp_path / run / "curve.csv").open())) for run in "ab")
    assert float(one[-1]["pixel"]) < float(one[0]["pixel"])
    assert float(one[-1]["pixel"]) == pytest.approx(float(other[-1]["pixel"]), rel=1e-2)


def test_a_checkpoint_made_on_a_gpu_is_read_without_one(toy: ModuleType, tmp_path: Path) -> None:
    train(toy.ToyTask(), toy.ToySource(), toy.settings(device="cuda"), tmp_path, lambda line: None)
    state = checkpoint.load(checkpoint.path_of(tmp_path, 12))
    assert all(value.device.type == "cpu" for value in state["modules"]["net"].values())
