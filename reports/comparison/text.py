"""A comparison of two runs as lines of a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.diagnosis.below import below_lr_face, lr_run_of
from bench.io.columns import align_columns
from bench.results import Figure
from reports.comparison.compare import FigureComparison, Gate, RunComparison
from reports.runs.run import Run
from reports.text.numbers import GAP, count, probability
from reports.text.tables import cell, interval, number, signed

_HEAD = ("figure", "first", "95 % interval", "second", "95 % interval", "second - first", "95 % interval", "p")
_LONG = 100


def to_lines(comparison: RunComparison, judged: Sequence[Gate]) -> list[str]:
    """The printed lines: banners, figures, differences of the configuration, gates."""
    first, second = comparison.first, comparison.second
    data = first.record.data
    name = f"{cell(first.record.protocol['name'])} on {cell(data.get('name') or 'data')}"
    rows = [_HEAD, *(_row(figure) for figure in comparison.figures)]
    return [
        *(f"*** {cell(banner, _LONG)} ***" for banner in first.banners),
        f"{name}, data digest {cell(data['digest'], 20)}",
        *align_columns([_named("first", first), _named("second", second)]),
        "",
        *align_columns(rows, right=(1, 3, 5)),
        *(f"  {line}" for line in _notes(comparison.figures)),
        "",
        *_differences(comparison),
        *_below(comparison),
        *(_gate_line(gate) for gate in judged),
    ]


def to_object(comparison: RunComparison, judged: Sequence[Gate]) -> dict[str, object]:
    """The same as JSON: fractions as they are in ``run.json``, nothing rounded."""
    first, second = comparison.first, comparison.second
    return {
        "format": "face-hallucination-bench compare",
        "version": 1,
        "protocol": first.record.protocol["name"],
        "data": {"name": first.record.data.get("name"), "digest": first.record.data["digest"]},
        "banners": list(first.banners),
        "first": _run(first),
        "second": _run(second),
        "figures": [_figure(figure) for figure in comparison.figures],
        "differs": [{"what": d.what, "first": d.first, "second": d.second} for d in comparison.differs],
        "gates": [
            {"figure": gate.name, "points": gate.points, "change": gate.change, "failed": gate.failed}
            for gate in judged
        ],
    }


def figure_object(figure: Figure | None) -> dict[str, object] | None:
    """Value, interval and denominator of a figure; None for none."""
    if figure is None:
        return None
    return {"value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n}


def _row(figure: FigureComparison) -> tuple[str, ...]:
    unit = figure.unit
    sides = [
        text
        for side in (figure.first, figure.second)
        for text in ((number(side.value, unit), interval(side.low, side.high, unit)) if side else (GAP, ""))
    ]
    between = "not paired" if figure.difference is not None else ""
    if figure.interval is not None:
        between = interval(figure.interval.low, figure.interval.high, unit)
    p_value = figure.by_identity.p_value if figure.by_identity else None
    return (cell(figure.name), *sides, signed(figure.difference, unit), between, probability(p_value))


def _notes(figures: Sequence[FigureComparison]) -> Iterable[str]:
    if any(figure.unit == "fraction" for figure in figures):
        yield "Differences of fractions are in percentage points."
    paired = [figure for figure in figures if figure.interval is not None]
    if paired:
        rows = ", ".join(dict.fromkeys(count(figure.paired) for figure in paired))
        yield (
            f"Paired over {rows} rows that both have. Interval: bootstrap over identities (over folds where the pairs "
            "are in folds). p: sign-flip test by identity, of each figure separately."
        )
    unshared = sum(figure.unshared for figure in paired[:1])
    if unshared:
        yield f"{count(unshared)} rows of {cell(paired[0].name)} are in one run only; its difference leaves them out."
    if any(figure.interval is None and figure.difference is not None for figure in figures):
        yield "Not paired: the figure is no mean over rows (a threshold, a curve, a time), so it is not tested."


def _differences(comparison: RunComparison) -> list[str]:
    if not comparison.differs:
        return ["Nothing differs in configuration, versions, code or machine."]
    rows = [("", "first", "second")]
    rows += [(cell(d.what, _LONG), cell(d.first, 64), cell(d.second, 64)) for d in comparison.differs]
    return ["What differs:", *align_columns(rows)]


def _below(comparison: RunComparison) -> list[str]:
    """A warning where one run is of the LR face and the other run is worse."""
    runs = (comparison.first, comparison.second)
    sentences = (below_lr_face(run, lr) for run in runs if (lr := lr_run_of(run, runs)) is not None)
    return [cell(sentence, len(sentence)) for sentence in sentences if sentence]


def _named(word: str, run: Run) -> tuple[str, str, str, str]:
    return word, cell(run.name), cell(run.folder_name), cell(run.record.created)


def _gate_line(gate: Gate) -> str:
    verdict = "FAILED" if gate.failed else "ok"
    direction = "worse" if gate.change < 0 else "better"
    return f"{verdict}: {cell(gate.name)} is {abs(gate.change):.4g} {direction}; allowed: {gate.points:g} worse"


def _run(run: Run) -> dict[str, object]:
    record = run.record
    return {
        "folder": run.folder_name,
        "name": run.name,
        "label": record.label,
        "created": record.created,
        "bench_version": record.bench_version,
        "config_digest": record.config_digest,
        "sample": record.sample,
    }


def _figure(figure: FigureComparison) -> dict[str, object]:
    interval_, by_identity, mcnemar = figure.interval, figure.by_identity, figure.mcnemar
    return {
        "figure": figure.name,
        "unit": figure.unit,
        "first": figure_object(figure.first),
        "second": figure_object(figure.second),
        "difference": figure.difference,
        "low": interval_.low if interval_ else None,
        "high": interval_.high if interval_ else None,
        "interval": interval_.method if interval_ else "none: the figure is no mean over rows that both runs have",
        "paired": figure.paired,
        "unshared": figure.unshared,
        "p_identity": by_identity.p_value if by_identity else None,
        "p_mcnemar": mcnemar.p_value if mcnemar else None,
    }
