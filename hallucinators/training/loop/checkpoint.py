"""Checkpoints, from which a run can continue, and the best weights so far.

``checkpoint-STEP.pt`` holds the whole state (the last two are kept), ``best-STEP.pt`` the networks and their averages.
They hold only tensors, numbers, strings, lists and dicts, and are loaded as such. The best file of a checkpoint is the
last one up to its step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bench.errors import DataError
from bench.io.atomic import open_replacing
from hallucinators.training.loop.ema import differing
from hallucinators.training.steps import distributed

State = dict[str, Any]
KEPT = 2
_NAME = re.compile(r"(checkpoint|best)-(\d{8})\.pt")


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically.

    Raises:
        DataError: the state holds other types than tensors, numbers, strings, lists, tuples and dicts.
    """
    plain = _plain(state, "state")
    with open_replacing(path) as file:
        torch.save(plain, file)


def load(path: Path) -> State:
    """Read a checkpoint, all tensors on the processor.

    Raises:
        DataError: the file is damaged or not a checkpoint.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes raise nearly any error in torch
        cause = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{path} cannot be read as a checkpoint: {cause}") from error
    if not isinstance(state, dict) or "step" not in state:
        raise DataError(f"{path} is not a checkpoint of a training run: it has no step")
    return state


def _plain(value: Any, where: str) -> Any:
    """The value with mappings as dicts and tensors without graphs."""
    if isinstance(value, Tensor):
        return value.detach()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item, f"{where}[{i}]") for i, item in enumerate(value))
    raise DataError(f"{where} is a {type(value).__name__}; a checkpoint holds tensors, numbers, strings, lists, dicts")


def path_of(out: Path, step: int, kind: str = "checkpoint") -> Path:
    """Path of the checkpoint (or of the ``best`` weights) of a step."""
    return out / f"{kind}-{step:08d}.pt"


def _steps(out: Path, kind: str) -> list[int]:
    """Steps with a file, ascending."""
    names = (_NAME.fullmatch(path.name) for path in out.glob(f"{kind}-*.pt"))
    return sorted(int(name[2]) for name in names if name)


def best_path(out: Path) -> Path | None:
    """The file of the best weights so far; None before the first validation."""
    steps = _steps(out, "best")
    return path_of(out, steps[-1], "best") if steps else None


def best_averages(folder: Path) -> State:
    """Averaged weights of the best validation of a stage, by module.

    Raises:
        DataError: the stage is not finished.
    """
    path = best_path(folder)
    if path is None:
        raise DataError(f"{folder} holds no finished stage; train it first, or do not set its steps to 0.")
    averages: State = load(path)["averages"]
    return averages


def load_newest(out: Path, say: Callable[[str], None]) -> State | None:
    """The newest readable checkpoint; None if there is none.

    A damaged one is reported and skipped; `discard_after` renames it.

    Raises:
        DataError: there are checkpoints and none can be read.
    """
    causes = []
    for step in reversed(_steps(out, "checkpoint")):
        try:
            return load(path_of(out, step))
        except DataError as error:
            say(f"{error}. Falling back to the checkpoint before it.")
            causes.append(str(error))
    if causes:
        raise DataError(
            f"No checkpoint in {out} can be read ({'; '.join(causes)}). Restore one, or remove them to start again."
        )
    return None


def discard_after(out: Path, step: int) -> None:
    """Rename (damaged) checkpoints after ``step`` and remove best weights of later steps."""
    for late in _steps(out, "checkpoint"):
        if late > step:
            path = path_of(out, late)
            path.replace(path.with_name(path.name + ".damaged"))
    for late in _steps(out, "best"):
        if late > step:
            path_of(out, late, "best").unlink()


def prune(out: Path) -> None:
    """Remove all but the last two checkpoints, their best weights, and the newest best weights."""
    steps, best = _steps(out, "checkpoint"), _steps(out, "best")
    for step in steps[:-KEPT]:
        path_of(out, step).unlink()
    needed = {max((b for b in best if b <= step), default=-1) for step in steps[-KEPT:]} | set(best[-1:])
    for step in best:
        if step not in needed:
            path_of(out, step, "best").unlink()


def refuse_other(path: Path, state: State, expected: State) -> None:
    """Refuse a checkpoint of another run.

    Args:
        path: of the checkpoint, for the message.
        state: the loaded checkpoint.
        expected: ``task``, ``recipe``, ``settings``, ``processes``, ``modules``, ``optimisers`` of this run.

    Raises:
        DataError: the checkpoint is of another run; the message lists the differences.
    """
    wrong = list(_differences(state, expected))
    if wrong:
        more = f"; and {len(wrong) - 8} more" if len(wrong) > 8 else ""
        raise DataError(
            f"{path} is of another run: {'; '.join(wrong[:8])}{more}. "
            "Train into another folder, or take the same settings."
        )


def _differences(state: State, expected: State) -> Iterator[str]:
    missing = sorted(expected.keys() - state.keys())
    if missing:
        yield f"it lacks {', '.join(missing)}"
        return
    for name in ("task", "processes"):
        if state[name] != expected[name]:
            yield f"{name} is {expected[name]!r} here and {state[name]!r} in the checkpoint"
    for group in ("settings", "recipe"):
        for name in sorted(state[group].keys() | expected[group].keys()):
            here, there = expected[group].get(name), state[group].get(name)
            if here != there:
                yield f"{name} is {here!r} here and {there!r} in the checkpoint"
    if state["task"] == expected["task"]:
        yield from differing(expected["modules"], state["modules"])
        for name in sorted(state["optimisers"].keys() ^ expected["optimisers"].keys()):
            yield f"optimiser {name} is {'in the checkpoint only' if name in state['optimisers'] else 'only here'}"


def random_state(device: torch.device) -> list[dict[str, Tensor]]:
    """States of torch's default generators, by rank."""
    states = {"cpu": distributed.gather(torch.get_rng_state())}
    if device.type == "cuda":
        states["cuda"] = distributed.gather(torch.cuda.get_rng_state(device))
    return [dict(zip(states, one, strict=True)) for one in zip(*states.values(), strict=True)]


def restore_random_state(states: list[dict[str, Tensor]], device: torch.device) -> None:
    """Set torch's default generators of this process to the saved states; other devices stay unchanged."""
    mine = states[distributed.rank()]
    torch.set_rng_state(mine["cpu"])
    if device.type == "cuda" and "cuda" in mine:
        torch.cuda.set_rng_state(mine["cuda"], device)
