"""The table of an ablation: figures of each variant, differences from the full one, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bench.metrics.bootstrap import bootstrap_interval, difference_interval
from bench.metrics.identification import is_hit
from bench.metrics.significance import holm, sign_flip_test
from bench.results.folder import dump_json
from hallucinators.vividgan.ablation.measure import Measures
from hallucinators.vividgan.ablation.variants import REFERENCE

MEASURES: Mapping[str, tuple[str, float, int]] = {
    "psnr_db": ("PSNR, dB", 1, 2),
    "ssim": ("SSIM", 1, 4),
    "rank_1": ("rank-1, %", 100, 1),
}
"""Heading, factor and digits of each."""
_FIELDS = (
    "variant", "label", "losses", "measure", "value", "low", "high", "probes", "failed", "infinite", "difference",
    "difference_low", "difference_high", "p_value", "p_holm", "compared", "failure",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure of one variant.

    Attributes:
        value: mean over probes; None if no probe has a finite value. A failed probe is a miss for rank-1 and is
            left out of the means of PSNR and SSIM.
        low: lower end of the 95 % interval over people, or None.
        high: upper end, likewise.
        probes: all of them.
        failed: those that failed.
        infinite: those whose PSNR is infinite, left out of the mean.
    """

    value: float | None
    low: float | None
    high: float | None
    probes: int
    failed: int
    infinite: int


@dataclass(slots=True)
class Difference:
    """Difference of a measure to the full variant, over the probes for which both have a finite value.

    Attributes:
        value: mean difference.
        low: lower end of the paired 95 % interval over people, or None.
        high: upper end, likewise.
        probes: those compared.
        p_value: of the sign-flip test by person.
        p_holm: the same, corrected for all differences of the table.
    """

    value: float
    low: float | None
    high: float | None
    probes: int
    p_value: float
    p_holm: float = 1.0


@dataclass
class Row:
    """One row of the table.

    Attributes:
        variant: its name.
        label: as the paper writes it.
        losses: names of its losses.
        measures: measures by probe; None if it failed.
        failure: why it has no figures, or empty.
        stages: its stages with their steps.
        cells: figures by measure.
        differences: by measure; empty for the full variant, and if there is no full variant.
    """

    variant: str
    label: str
    losses: Sequence[str]
    measures: Measures | None
    failure: str = ""
    stages: Mapping[str, int] = field(default_factory=dict)
    cells: dict[str, Cell] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)


def compute(rows: Sequence[Row], *, seed: int = 0) -> None:
    """Compute cells and differences of all rows."""
    base = next((row.measures for row in rows if row.variant == REFERENCE), None)
    for row in rows:
        if row.measures is None:
            continue
        for name in MEASURES:
            row.cells[name] = _cell(name, row.measures, seed)
            if base is not None and row.variant != REFERENCE:
                difference = _difference(
                    values_of(name, row.measures), values_of(name, base), row.measures.people, seed
                )
                if difference:
                    row.differences[name] = difference
    differences = [difference for row in rows for difference in row.differences.values()]
    if differences:
        for difference, p_value in zip(differences, holm([d.p_value for d in differences]), strict=True):
            difference.p_holm = p_value


def to_json(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    """All figures, without the values of single probes."""
    plain = [{k: v for k, v in asdict(row).items() if k != "measures"} for row in rows]
    for entry, row in zip(plain, rows, strict=True):
        entry["losses"] = list(row.losses)
        if row.measures:
            entry |= {"align": row.measures.align, "outcomes": row.measures.outcomes}
    return dump_json({"facts": dict(facts), "variants": plain})


def to_csv(rows: Sequence[Row]) -> str:
    """One line for each variant and measure; one for a variant that failed."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        about = {"variant": row.variant, "label": row.label, "losses": " ".join(row.losses), "failure": row.failure}
        if row.failure:
            writer.writerow(about)
        for name, cell in row.cells.items():
            line = about | {"measure": name} | asdict(cell)
            if name in row.differences:
                difference = row.differences[name]
                line |= {
                    "difference": difference.value,
                    "difference_low": difference.low,
                    "difference_high": difference.high,
                    "p_value": difference.p_value,
                    "p_holm": difference.p_holm,
                    "compared": difference.probes,
                }
            writer.writerow(line)
    return text.getvalue()


def to_markdown(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    """The table, with the facts of the training above it and a legend below."""
    heads = ["Variant", "Losses", *(head for head, *_ in MEASURES.values())]
    heads += [f"Δ {head}" for head, *_ in MEASURES.values()]
    lines = ["# Ablation of VividGAN", ""]
    lines += [f"- {name}: {text}" for name, text in facts["told"].items()]
    lines += ["", f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        first = [_safe(f"{row.variant}: {row.label}"), _safe(", ".join(row.losses))]
        if row.measures is None:
            lines.append(f"| {' | '.join([*first, 'FAILED: ' + _safe(row.failure)])} |" + " |" * 5)
            continue
        figures = [_figure(row.cells[name], *MEASURES[name][1:]) for name in MEASURES]
        between = [_between(row, name, *MEASURES[name][1:]) for name in MEASURES]
        lines.append(f"| {' | '.join([*first, *figures, *between])} |")
    lines += [
        "",
        "In brackets: 95 % intervals by resampling people. Δ: difference to the full variant, paired by probe; "
        "p of the sign-flip test by person, Holm-corrected over the table. A failed probe is a miss and has no PSNR.",
    ]
    return "\n".join(lines) + "\n"


def values_of(name: str, measures: Measures) -> list[float | None]:
    """A measure of every probe; None if it failed (a miss of rank-1 is 0)."""
    if name == "rank_1":
        return [float(is_hit(rank)) for rank in measures.ranks]
    return list(measures.psnr_db if name == "psnr_db" else measures.ssim)


def _cell(name: str, measures: Measures, seed: int) -> Cell:
    values = values_of(name, measures)
    failed = sum(rank is None for rank in measures.ranks) if name == "rank_1" else sum(v is None for v in values)
    finite = [
        (v, person) for v, person in zip(values, measures.people, strict=True) if v is not None and np.isfinite(v)
    ]
    infinite = sum(v is not None for v in values) - len(finite)
    if not finite:
        return Cell(None, None, None, len(values), failed, infinite)
    numbers, people = [v for v, _ in finite], [person for _, person in finite]
    interval = bootstrap_interval(numbers, people, seed=seed)
    exact = name == "rank_1" or min(numbers) != max(numbers)  # equal values get a binomial interval
    low, high = (interval.low, interval.high) if exact else (None, None)
    return Cell(float(np.mean(numbers)), low, high, len(values), failed, infinite)


def _difference(
    first: Sequence[float | None], second: Sequence[float | None], people: Sequence[str], seed: int
) -> Difference | None:
    both = [
        (a, b, person)
        for a, b, person in zip(first, second, people, strict=True)
        if a is not None and b is not None and np.isfinite(a) and np.isfinite(b)
    ]
    if not both:
        return None
    left, right, who = [a for a, _, _ in both], [b for _, b, _ in both], [person for _, _, person in both]
    interval = difference_interval(left, right, who, seed=seed)
    test = sign_flip_test(left, right, who, seed=seed)
    return Difference(test.difference, interval.low, interval.high, len(both), test.p_value)


def _figure(cell: Cell, factor: float, digits: int) -> str:
    if cell.value is None:
        return "-"
    notes = [f"{count} {what}" for count, what in ((cell.failed, "failed"), (cell.infinite, "equal")) if count]
    return ", ".join([f"{factor * cell.value:.{digits}f}{_span(cell.low, cell.high, factor, digits, '')}", *notes])


def _between(row: Row, name: str, factor: float, digits: int) -> str:
    difference = row.differences.get(name)
    if difference is None:
        return "reference" if row.variant == REFERENCE else "-"
    span = _span(difference.low, difference.high, factor, digits, "+")
    return f"{factor * difference.value:+.{digits}f}{span}, p {difference.p_holm:.2g}"


def _span(low: float | None, high: float | None, factor: float, digits: int, sign: str) -> str:
    if low is None or high is None:
        return ""
    return f" [{factor * low:{sign}.{digits}f}, {factor * high:{sign}.{digits}f}]"


def _safe(text: str) -> str:
    """Escape text for a cell."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
