"""``bench train all``: every baseline on the same people, with the same budget, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError, UsageError
from hallucinators.training.method.options import Options
from hallucinators.training.method.train import Ended, People, stages_of, train_method
from hallucinators.training.steps.settings import Settings

ORDER = ("stn", "srgan", "cbn", "waveletsrnet", "tdae", "tann", "drgan", "cyclegan")
"""The aligner comes first, since three of the others are trained on what it makes of a face."""
ANY_SIZE = ("drgan", "cyclegan")
"""Trained once for LR faces of all sizes."""
BEHIND_ALIGNER = ("srgan", "cbn", "waveletsrnet")


@dataclass(frozen=True)
class Row:
    """One training of the list.

    Attributes:
        name: of its folder: method, and factor where there are several.
        ended: how it ended; None where it failed.
        failure: why it failed.
    """

    name: str
    ended: Ended | None
    failure: str = ""


def plan(sizes: Sequence[int]) -> Iterator[tuple[str, int, str]]:
    """Method, LR side and folder of every training, in order.

    Raises:
        UsageError: no size.
    """
    if not sizes:
        raise UsageError("bench train all needs LR sizes: 16, 32 or both")
    for method in ORDER:
        for lr in sizes[:1] if method in ANY_SIZE else sizes:
            yield method, lr, method if method in ANY_SIZE else f"{method}-{128 // lr}x"


def train_all(
    options: Options,
    settings: Settings,
    people: People,
    out: Path,
    *,
    sizes: Sequence[int] = (16, 32),
    say: Callable[[str], None] = lambda text: None,
) -> list[Row]:
    """Train every baseline, or go on where that stopped; one that fails does not stop the others.

    Args:
        options: what all share; method, size and aligner are set here, and stages take their own lengths.
        settings: of the loop; ``minutes`` is for each network.
        people: whom they see.
        out: a folder for each goes into it.
        sizes: of the LR faces.
        say: told what begins.

    Returns:
        A row for each that was begun; after a signal the rest is not.
    """
    if options.steps:
        raise UsageError("--steps is for one method; in `all` every stage takes its own, the same for every baseline")
    rows: list[Row] = []
    for method, lr, name in plan(sizes):
        aligner = out / f"stn-{128 // lr}x" / "stn.safetensors" if method in BEHIND_ALIGNER else None
        own = replace(options, method=method, lr=lr, aligner=aligner)
        say(name)
        try:
            stages_of(own)  # a missing aligner is said before any network is built
            ended = train_method(own, settings, people, out / name)
        except BenchError as error:
            rows.append(Row(name, None, str(error).splitlines()[0]))
            continue
        rows.append(Row(name, ended))
        if ended.stopped == "signal":
            break
    return rows


def table(rows: Sequence[Row]) -> str:
    """What was trained, with the budget of each, as text."""
    lines = [f"{'network':20} {'faces seen':>12} {'minutes':>8} {'PSNR':>7}  "]
    for row in rows:
        if row.ended is None:
            lines.append(f"{row.name:20} FAILED: {row.failure}")
            continue
        last = list(row.ended.results.values())[-1]
        best = last.best.get("psnr_db")
        shown = f"{best:.2f}" if best is not None else "-"
        state = str(row.ended.weights) if row.ended.weights else f"stopped ({row.ended.stopped}) in {row.ended.stage}"
        lines.append(f"{row.name:20} {row.ended.samples:12,} {row.ended.minutes:8.1f} {shown:>7}  {state}")
    return "\n".join(lines)
