"""An ablation over several seeds: one ablation a seed, and a table of means, spread and intervals."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.io.atomic import explain_os_errors, write_file
from bench.metrics.bootstrap import Interval, bootstrap_interval, difference_interval
from hallucinators.vividgan.ablation.run import ablate
from hallucinators.vividgan.ablation.table import MEASURES, Row, values_of
from hallucinators.vividgan.ablation.variants import PAPER_VARIANTS, REFERENCE, Recipe

_FIELDS = ("variant", "measure", "seeds", "value", "spread", "low", "high", "difference", "difference_low",
           "difference_high", "difference_spread", "probes", "failure")  # fmt: skip
_SMOKE = "SMOKE RUN: trained on a part of the people; its figures say nothing about the variants."


@dataclass(frozen=True, slots=True)
class SeedCell:
    """One measure of one variant over the seeds.

    Attributes:
        variant: its name.
        measure: a name of `table.MEASURES`.
        value: mean over seeds and probes; None if no probe has a finite value with every seed.
        spread: standard deviation (n - 1) over the seeds of the mean over probes; None for one seed.
        interval: 95 % interval of ``value`` over people; None if there is none.
        difference: mean difference from `REFERENCE`, paired by probe; None for `REFERENCE` itself.
        difference_interval: its paired 95 % interval over people; None if there is none.
        difference_spread: standard deviation (n - 1) of the difference over the seeds; None for one seed.
        probes: those counted: finite with every seed.
        seeds: number of seeds.
        failure: why there are no figures, or empty.
    """

    variant: str
    measure: str
    value: float | None = None
    spread: float | None = None
    interval: tuple[float, float] | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    difference_spread: float | None = None
    probes: int = 0
    seeds: int = 0
    failure: str = ""


def ablate_seeds(
    data: Path,
    out: Path,
    recipe: Recipe,
    seeds: int,
    *,
    names: Sequence[str] = tuple(PAPER_VARIANTS),
    recogniser: str = "sface",
    people: int = 400,
    landmarks: str = "auto",
    views: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Run an ablation for each of several seeds on the same views and probes; writes ``seeds.md`` and ``seeds.csv``.

    Args:
        data: see `ablate`, as for the arguments below.
        out: the folder. With several seeds each has a folder ``seed-N`` of `ablate`; with one, ``out`` is that folder.
        recipe: shared settings; its seed is the first one.
        seeds: number of seeds; they decide initial weights, order of faces, similarities and jitter of the training.
        names: names of the variants.
        recogniser: the recogniser of rank-1.
        people: number of people measured.
        landmarks: source of the positions of components.
        views: folder of rendered views; None takes one in ``out``.
        say: called with lines on the progress.

    Returns:
        The rows of the first seed; a variant that failed with another seed has that failure.

    Raises:
        UsageError: fewer than one seed, or see `ablate`.
        BenchError: see `ablate`.
    """
    if seeds < 1:
        raise UsageError(f"--seeds is {seeds}; give 1 or more")
    tables: list[list[Row]] = []
    for number in range(seeds):
        tables.append(
            ablate(
                data,
                out if seeds == 1 else out / f"seed-{recipe.seed + number}",
                replace(recipe, seed=recipe.seed + number),
                names=names,
                recogniser=recogniser,
                people=people,
                landmarks=landmarks,
                views=views or out / "views",
                data_seed=recipe.seed,
                say=say,
            )
        )
    rows = tables[0]
    if seeds > 1:
        cells = combine(tables, seed=recipe.seed)
        with explain_os_errors(f"Cannot write the table to {out}"):
            write_file(out / "seeds.md", to_markdown(cells, seeds, smoke=recipe.faces is not None))
            write_file(out / "seeds.csv", to_csv(cells))
        for row, others in zip(rows, zip(*tables, strict=True), strict=True):
            row.failure = next((other.failure for other in others if other.failure), "")
    return rows


def combine(tables: Sequence[Sequence[Row]], *, seed: int = 0) -> list[SeedCell]:
    """The measures of each variant over the seeds.

    Args:
        tables: rows of each seed, with the same variants in the same order.
        seed: of the resampling.
    """
    by_variant = {rows[0].variant: rows for rows in zip(*tables, strict=True)}
    return [
        _cell(variant, measure, rows, by_variant.get(REFERENCE, ()), seed)
        for variant, rows in by_variant.items()
        for measure in MEASURES
    ]


def to_markdown(cells: Sequence[SeedCell], seeds: int, *, smoke: bool) -> str:
    """The table with its legend; one line for each variant and measure."""
    lines = [f"# Ablation of VividGAN, {seeds} seeds", "", *([f"**{_SMOKE}**", ""] if smoke else [])]
    lines += ["| variant | measure | mean | spread | difference from full | its spread | probes |"]
    lines += ["| --- | --- | --- | --- | --- | --- | --- |"]
    for cell in cells:
        head, factor, digits = MEASURES[cell.measure]

        def text(value: float | None, span: tuple[float, float] | None = None, sign: str = "") -> str:
            if value is None:
                return "-"
            ends = f" [{factor * span[0]:{sign}.{digits}f}, {factor * span[1]:{sign}.{digits}f}]" if span else ""  # noqa: B023
            return f"{factor * value:{sign}.{digits}f}{ends}"  # noqa: B023

        figures = [
            text(cell.value, cell.interval),
            text(cell.spread),
            text(cell.difference, cell.difference_interval, "+"),
            text(cell.difference_spread),
        ]
        if cell.failure:
            figures = [f"FAILED: {' '.join(cell.failure.split())}".replace("|", "\\|"), "-", "-", "-"]
        lines.append(f"| {' | '.join([cell.variant, head, *figures, str(cell.probes)])} |")
    lines += [
        "",
        "Mean over seeds and probes. In brackets: 95 % intervals by resampling people, each probe being its "
        "mean over the "
        "seeds; differences are paired by probe and seed. Spread: standard deviation (n - 1) over the seeds. A failed "
        "probe is a miss of rank-1; a probe without a finite PSNR or SSIM with every seed is left out of that mean.",
    ]
    return "\n".join(lines) + "\n"


def to_csv(cells: Sequence[SeedCell]) -> str:
    """One line for each variant and measure."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _FIELDS, lineterminator="\n")
    writer.writeheader()
    for cell in cells:
        low, high = cell.interval or (None, None)
        difference_low, difference_high = cell.difference_interval or (None, None)
        line = {name: getattr(cell, name) for name in _FIELDS if hasattr(cell, name)}
        writer.writerow(
            line | {"low": low, "high": high, "difference_low": difference_low, "difference_high": difference_high}
        )
    return text.getvalue()


def _cell(variant: str, measure: str, rows: Sequence[Row], reference: Sequence[Row], seed: int) -> SeedCell:
    failure = next((row.failure for row in rows if row.measures is None), "")
    if any(row.measures is None for row in rows):
        return SeedCell(variant, measure, seeds=len(rows), failure=failure or "no figures")
    people = np.asarray(rows[0].measures.people)  # type: ignore[union-attr]  # none is None
    values = _matrix(measure, rows)
    finite = np.isfinite(values).all(0)
    if not finite.any():
        return SeedCell(variant, measure, seeds=len(rows))
    kept = values[:, finite]
    cell = SeedCell(
        variant,
        measure,
        value=float(kept.mean()),
        spread=_spread(kept.mean(1)),
        interval=_ends(bootstrap_interval(kept.mean(0), people[finite].tolist(), seed=seed)),
        probes=int(finite.sum()),
        seeds=len(rows),
    )
    if variant == REFERENCE or not reference or any(row.measures is None for row in reference):
        return cell
    base = _matrix(measure, reference)
    both = finite & np.isfinite(base).all(0)
    if not both.any():
        return cell
    left, right = values[:, both], base[:, both]
    interval = difference_interval(left.mean(0), right.mean(0), people[both].tolist(), seed=seed)
    return replace(
        cell,
        difference=float((left - right).mean()),
        difference_interval=_ends(interval),
        difference_spread=_spread((left - right).mean(1)),
    )


def _matrix(measure: str, rows: Sequence[Row]) -> NDArray[np.float64]:
    """Values float64 (seeds, probes); NaN for a probe without a value."""
    lists = [values_of(measure, row.measures) for row in rows if row.measures is not None]
    return np.array([[np.nan if value is None else value for value in one] for one in lists], np.float64)


def _spread(means: NDArray[np.float64]) -> float | None:
    return float(means.std(ddof=1)) if len(means) > 1 else None


def _ends(interval: Interval) -> tuple[float, float] | None:
    return None if interval.low is None or interval.high is None else (interval.low, interval.high)
