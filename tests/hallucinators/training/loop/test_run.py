from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from bench.errors import BenchError, ContractError, DataError
from hallucinators.training.loop import checkpoint
from hallucinators.training.loop.run import train
from hallucinators.training.steps.batch import Batch


def weights(out: Path, step: int) -> dict[str, torch.Tensor]:
    state = checkpoint.load(checkpoint.path_of(out, step))
    flat = {f"{m}.{k}": v for m, tensors in state["modules"].items() for k, v in tensors.items()}
    flat |= {f"average {m}.{k}": v for m, tensors in state["averages"].items() for k, v in tensors.items()}
    for name, optimiser in state["optimisers"].items():
        for index, entry in optimiser["state"].items():
            flat |= {f"{name}.{index}.{k}": v for k, v in entry.items() if isinstance(v, torch.Tensor)}
    return flat | {"random": state["random"][0]["cpu"]}


def same(one: Path, other: Path, step: int) -> None:
    assert (one / "curve.csv").read_bytes() == (other / "curve.csv").read_bytes()
    first, second = weights(one, step), weights(other, step)
    assert first.keys() == second.keys() and len(first) > 20
    for key in first:
        assert torch.equal(first[key], second[key]), key
    assert checkpoint.best_path(one).name == checkpoint.best_path(other).name  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def whole_run(toy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve steps that nothing came between."""
    out = tmp_path_factory.mktemp("whole")
    result = train(toy.ToyTask(), toy.ToySource(), toy.settings(), out, lambda line: None)
    assert (result.steps, result.stopped, result.samples_seen, result.skipped) == (12, "done", 48, 0)
    return out


def test_a_run_writes_a_curve_that_falls(whole_run: Path) -> None:
    rows = list(csv.DictReader((whole_run / "curve.csv").open()))
    assert list(rows[0]) == ["step", "shift", "pixel", "val_psnr_db"]
    assert [row["step"] for row in rows] == ["3", "4", "6", "8", "9", "12"]
    assert float(rows[-1]["pixel"]) < float(rows[0]["pixel"])
    assert rows[0]["val_psnr_db"] == "" and float(rows[-1]["val_psnr_db"]) > float(rows[1]["val_psnr_db"])


def test_a_row_holds_the_means_since_the_row_before(toy: ModuleType, tmp_path: Path) -> None:
    task = toy.ToyTask()
    task.update = lambda batch, step: {"number": float(step)} | ({"late": 5.0} if step >= 4 else {})
    train(task, toy.ToySource(), toy.settings(steps=7, validate_every=7), tmp_path, lambda line: None)
    rows = [row.split(",") for row in (tmp_path / "curve.csv").read_text().splitlines()]
    assert rows[0] == ["step", "number", "late", "val_psnr_db"]
    assert [row[:3] for row in rows[1:]] == [["3", "1", ""], ["6", "4", "5"], ["7", "6", "5"]]


@pytest.mark.parametrize("stop", [1, 5, 7, 11])
def test_a_run_that_crashed_goes_on_as_if_it_had_not(
    stop: int, toy: ModuleType, whole_run: Path, tmp_path: Path, lines: list[str]
) -> None:
    source = toy.ToySource()

    def crash(step: int) -> None:
        if step == stop:
            raise OSError("the disk is gone")

    source.at = crash
    with pytest.raises(OSError, match="disk is gone"):
        train(toy.ToyTask(), source, toy.settings(), tmp_path, lines.append)
    torch.manual_seed(99)
    result = train(toy.ToyTask(), toy.ToySource(), toy.settings(), tmp_path, lines.append)
    assert (result.steps, result.stopped, result.samples_seen) == (12, "done", 48)
    same(tmp_path, whole_run, 12)
    assert any("continuing from the checkpoint" in line for line in lines) == (stop >= 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_after_the_step_and_the_run_goes_on_as_if_it_had_not(
    number: signal.Signals, toy: ModuleType, whole_run: Path, tmp_path: Path, lines: list[str]
) -> None:
    before = signal.getsignal(number)
    task = toy.ToyTask()

    def send(step: int, loss: torch.Tensor) -> torch.Tensor:
        if step == 6:
            os.kill(os.getpid(), number)
        return loss

    task.spoil = send
    result = train(task, toy.ToySource(), toy.settings(), tmp_path, lines.append)
    assert (result.steps, result.stopped) == (7, "signal")
    assert number.name in lines[-1]
    assert checkpoint.path_of(tmp_path, 7).exists()
    assert signal.getsignal(number) == before
    train(toy.ToyTask(), toy.ToySource(), toy.settings(), tmp_path, lines.append)
    same(tmp_path, whole_run, 12)


def test_a_killed_process_loses_no_more_than_the_steps_since_its_checkpoint(
    toy: ModuleType, whole_run: Path, tmp_path: Path, lines: list[str]
) -> None:
    command = [sys.executable, toy.__file__, str(tmp_path), "kill", "8"]
    killed = subprocess.run(command, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    train(toy.ToyTask(), toy.ToySource(), toy.settings(), tmp_path, lines.append)
    assert "continuing from the checkpoint of step 5" in lines[0]
    same(tmp_path, whole_run, 12)


def test_how_often_something_is_validated_does_not_change_the_training(
    toy: ModuleType, whole_run: Path, tmp_path: Path
) -> None:
    train(toy.ToyTask(), toy.ToySource(), toy.settings(validate_every=1, preview_every=2), tmp_path, lambda line: None)
    here, there = weights(tmp_path, 12), weights(whole_run, 12)
    assert all(torch.equal(here[key], there[key]) for key in there)


def test_a_finished_run_returns_at_once(toy: ModuleType, tmp_path: Path, lines: list[str]) -> None:
    first = train(toy.ToyTask(), toy.ToySource(), toy.settings(), tmp_path, lines.append)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    source = toy.ToySource()
    again = train(toy.ToyTask(), source, toy.settings(), tmp_path, lines.append)
    assert again == first and source.requested_steps == []
    assert "had ended" in lines[-1]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert train(toy.ToyTask(), toy.ToySource(), toy.settings(steps=14), tmp_path, lines.append).steps == 14


def test_a_run_stops_early_when_it_gets_no_better_and_stays_stopped(toy: ModuleType, tmp_path: Path) -> None:
    task = toy.ToyTask()
    figures = iter([20.0, 21.0, 21.0, 20.5, 22.0])
    task.psnr = lambda psnr: next(figures)
    source = toy.ToySource()
    source.held_out = lambda: [toy.ToySource().held_out()[0]]  # one batch, one figure a validation
    kept = toy.settings(steps=100, validate_every=2, patience=2)
    result = train(task, source, kept, tmp_path, lambda line: None)
    assert (result.stopped, result.steps, result.best) == ("early", 8, {"psnr_db": 21.0, "step": 4})
    assert checkpoint.best_path(tmp_path) == checkpoint.path_of(tmp_path, 4, "best")
    assert train(toy.ToyTask(), source, kept, tmp_path, lambda line: None) == result


def test_the_best_weights_are_the_averages_that_were_validated(toy: ModuleType, whole_run: Path) -> None:
    best = checkpoint.load(checkpoint.best_path(whole_run))  # type: ignore[arg-type]
    task, source = toy.ToyTask(), toy.ToySource()
    task.net.load_state_dict(best["averages"]["net"])
    task.net.eval()
    with torch.no_grad():
        figures = [(len(batch.lr), task.validate(batch)["psnr_db"]) for batch in source.held_out()]
    mean = sum(n * value for n, value in figures) / sum(n for n, _ in figures)
    assert mean == pytest.approx(best["best"]["psnr_db"], rel=1e-6)
    assert best["best"]["step"] == best["step"]


def test_a_step_that_is_not_finite_leaves_nothing_behind(toy: ModuleType, tmp_path: Path, lines: list[str]) -> None:
    task, seen = toy.ToyTask(), {}

    def spoil(step: int, loss: torch.Tensor) -> torch.Tensor:
        if step in (0, 6):  # before optimisers have a state, and after
            return loss * torch.nan
        if step in (1, 7):  # what the step after the bad one starts from
            seen[step] = {k: v.clone() for k, v in task.net.state_dict().items()}
        return loss

    start = {k: v.clone() for k, v in task.net.state_dict().items()}
    task.spoil = spoil
    result = train(task, toy.ToySource(), toy.settings(), tmp_path, lines.append)
    assert (result.steps, result.stopped, result.skipped) == (12, "done", 2)
    assert "step 0 is undone, because loss 'pixel' is not finite" in lines[0]
    for key, value in start.items():
        if "running" not in key and "num_batches" not in key:  # step 1 has moved the statistics when it is looked at
            assert torch.equal(seen[1][key], value), key
    assert seen[1]["1.num_batches_tracked"] == 1 and seen[7]["1.num_batches_tracked"] == 6
    shift = checkpoint.load(checkpoint.path_of(tmp_path, 12))["optimisers"]["net"]["state"][0]["step"]
    assert shift == 10


def test_an_update_before_the_failing_one_is_undone_too(toy: ModuleType, tmp_path: Path) -> None:
    task = toy.ToyTask()
    task.spoil = lambda step, loss: loss * torch.inf
    start = task.shift.weight.detach().clone()
    with pytest.raises(BenchError, match=r"10 steps in a row.* at step 9 loss 'pixel'.*there is none yet"):
        train(task, toy.ToySource(), toy.settings(checkpoint_every=50), tmp_path, lambda line: None)
    assert torch.equal(task.shift.weight, start)


def test_a_gradient_that_is_not_finite_is_caught_for_optimisers_that_step_themselves(
    toy: ModuleType, tmp_path: Path, lines: list[str]
) -> None:
    task = toy.ToyTask()

    def update(batch: object, step: int) -> dict[str, float]:
        optimiser = task.optimisers()["net"]
        optimiser.zero_grad()
        out = task.net(batch.lr)  # type: ignore[attr-defined]
        (out - out.detach()).abs().sqrt().sum().backward()  # 0 with an infinite slope
        optimiser.step()
        return {"pixel": 0.0}

    task.update = update
    with pytest.raises(BenchError, match="gradient of optimiser 'net'"):
        train(task, toy.ToySource(), toy.settings(), tmp_path, lines.append)


def test_ten_bad_steps_end_the_run_and_keep_the_last_good_checkpoint(toy: ModuleType, tmp_path: Path) -> None:
    task = toy.ToyTask()
    task.spoil = lambda step, loss: loss * torch.nan if step >= 5 else loss
    with pytest.raises(BenchError, match="at step 14 loss 'pixel' was not finite"):
        train(task, toy.ToySource(), toy.settings(steps=40, checkpoint_every=5), tmp_path, lambda line: None)
    assert all(torch.isfinite(value.float()).all() for value in weights(tmp_path, 10).values())


def test_a_time_limit_stops_and_a_larger_one_goes_on(toy: ModuleType, whole_run: Path, tmp_path: Path) -> None:
    first = train(toy.ToyTask(), toy.ToySource(), toy.settings(minutes=1e-6), tmp_path, lambda line: None)
    assert (first.stopped, first.steps) == ("time", 1)
    again = train(toy.ToyTask(), toy.ToySource(), toy.settings(minutes=1e-6), tmp_path, lambda line: None)
    assert again == first
    last = train(toy.ToyTask(), toy.ToySource(), toy.settings(minutes=5), tmp_path, lambda line: None)
    assert (last.stopped, last.steps) == ("done", 12) and last.seconds > first.seconds
    same(tmp_path, whole_run, 12)


@pytest.mark.parametrize(
    ("task", "changes", "recipe", "message"),
    [
        ({"name": "other"}, {}, {}, "task is 'other' here and 'toy' in the checkpoint"),
        ({}, {"seed": 3, "ema_decay": 0.5}, {}, "ema_decay is 0.5 here and 0.9 .*; seed is 3 here and 0 in"),
        ({}, {}, {"preset": "small"}, "preset is 'small' here and None in the checkpoint"),
        ({"width": 6}, {}, {}, r"net.0.bias is \(6,\) here and \(4,\) in the checkpoint"),
        ({"norm": False}, {}, {}, "net.1.weight is in the checkpoint only"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(
    task: dict, changes: dict, recipe: dict, message: str, toy: ModuleType, whole_run: Path
) -> None:
    with pytest.raises(DataError, match=message):
        train(
            toy.ToyTask(**task), toy.ToySource(), toy.settings(**changes), whole_run, lambda line: None, recipe=recipe
        )


def test_a_truncated_checkpoint_falls_back_to_the_one_before(
    toy: ModuleType, whole_run: Path, tmp_path: Path, lines: list[str]
) -> None:
    train(toy.ToyTask(), toy.ToySource(), toy.settings(), tmp_path, lines.append)
    path = checkpoint.path_of(tmp_path, 12)
    path.write_bytes(path.read_bytes()[:2000])
    lines.clear()
    result = train(toy.ToyTask(), toy.ToySource(), toy.settings(), tmp_path, lines.append)
    assert result.steps == 12
    assert "cannot be read" in lines[0] and "Falling back" in lines[0] and "step 10" in lines[1]
    assert path.with_name(path.name + ".damaged").exists()
    same(tmp_path, whole_run, 12)


def test_a_batch_of_another_size_is_refused(toy: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="gave 4 faces for step 0; batch_size is 5"):
        train(toy.ToyTask(), toy.ToySource(), toy.settings(batch_size=5), tmp_path, lambda line: None)


def test_bfloat16_trains_float32_weights(toy: ModuleType, tmp_path: Path) -> None:
    task, seen = toy.ToyTask(), set()
    task.net.register_forward_hook(lambda module, args, inputs: seen.add((module.training, inputs.dtype)))
    train(task, toy.ToySource(), toy.settings(precision="bf16"), tmp_path, lambda line: None)
    assert seen == {(True, torch.bfloat16), (False, torch.bfloat16)}
    assert task.net[0].weight.dtype == torch.float32
    assert task.net[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_the_best_weights_are_chosen_by_the_objective_where_a_task_has_one(toy: ModuleType, tmp_path: Path) -> None:
    class WithObjective(toy.ToyTask):  # type: ignore[name-defined, misc]
        def validate(self, batch: Batch) -> dict[str, float]:
            return {"psnr_db": next(likeness), "objective": next(objective)}

    likeness, objective = iter([20.0, 21.0, 19.0, 18.0, 17.0]), iter([-3.0, -2.0, -1.0, -1.5, -1.2])
    source = toy.ToySource()
    source.held_out = lambda: [toy.ToySource().held_out()[0]]
    kept = toy.settings(steps=100, validate_every=2, patience=2)
    result = train(WithObjective(), source, kept, tmp_path, lambda line: None)
    assert (result.stopped, result.steps) == ("early", 10)
    assert result.best == {"psnr_db": 19.0, "objective": -1.0, "step": 6}
    assert checkpoint.best_path(tmp_path) == checkpoint.path_of(tmp_path, 6, "best")
