"""``bench train all``: every baseline on the same people, with the same budget, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError, UsageError
from bench.io.columns import align_columns
from hallucinators.networks.registration import ALIGNER, TRAINERS
from hallucinators.training.method.options import Options
from hallucinators.training.method.train import MethodResult, People, train_method
from hallucinators.training.steps.settings import Settings


@dataclass(frozen=True)
class Row:
    """Result of one training.

    Attributes:
        name: name of its folder: the method, and the factor if there are several.
        outcome: its outcome; None if it failed.
        failure: why it failed.
    """

    name: str
    outcome: MethodResult | None
    failure: str = ""


def plan(sizes: Sequence[int]) -> Iterator[tuple[str, int, str]]:
    """Method, LR side and folder of every training; the aligner first, since other methods need it.

    Raises:
        UsageError: no size.
    """
    if not sizes:
        raise UsageError("bench train all needs LR sizes: 16, 32 or both")
    baselines = sorted(name for name, trainer in TRAINERS.items() if trainer.baseline)
    for method in sorted(baselines, key=lambda name: name != ALIGNER):
        any_size = TRAINERS[method].any_size
        for lr in sizes[:1] if any_size else sizes:
            yield method, lr, method if any_size else f"{method}-{128 // lr}x"


def train_all(
    options: Options,
    settings: Settings,
    people: People,
    out: Path,
    *,
    sizes: Sequence[int] = (16, 32),
    announce: Callable[[str], None] = lambda text: None,
) -> list[Row]:
    """Train every baseline, or continue a stopped call; a failure does not stop the other trainings.

    Args:
        options: shared options; method, size and aligner are set here, and stages take their default lengths.
        settings: of the loop; ``minutes`` is for each network.
        people: the training and validation people.
        out: the folder; it has a subfolder for each training.
        sizes: sides of the LR faces.
        announce: called with the name of each training that starts.

    Returns:
        A row for each training that was started; a signal ends the list.
    """
    if options.steps:
        raise UsageError("--steps is for one method; with `all` every stage takes its default")
    rows: list[Row] = []
    for method, lr, name in plan(sizes):
        aligner = out / f"{ALIGNER}-{128 // lr}x" / f"{ALIGNER}.safetensors"
        method_options = replace(
            options, method=method, lr=lr, aligner=aligner if TRAINERS[method].after_aligner else None
        )
        announce(name)
        try:
            outcome = train_method(method_options, settings, people, out / name)
        except BenchError as error:
            rows.append(Row(name, None, str(error).splitlines()[0]))
            continue
        rows.append(Row(name, outcome))
        if outcome.stopped == "signal":
            break
    return rows


def table(rows: Sequence[Row]) -> str:
    """The trainings with the budget of each, as text."""
    cells = [("network", "faces seen", "minutes", "PSNR", "weights")]
    for row in rows:
        outcome = row.outcome
        if outcome is None:
            cells.append((row.name, "", "", "", f"FAILED: {row.failure}"))
            continue
        psnr = list(outcome.results.values())[-1].best.get("psnr_db")
        psnr_text = f"{psnr:.2f}" if psnr is not None else "-"
        state = str(outcome.weights) if outcome.weights else f"stopped ({outcome.stopped}) in {outcome.stage}"
        cells.append((row.name, f"{outcome.samples:,}", f"{outcome.minutes:.1f}", psnr_text, state))
    return "\n".join(align_columns(cells, right=(1, 2, 3), indent=0))
