"""A comparison of two runs as lines of a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.diagnosis.below import below_lr_face, lr_run_of
from bench.results import Figure
from reports.comparison.compare import Comparison, Contrast, Gate
from reports.runs.run import Run
from reports.text.numbers import GAP, count
from reports.text.tables import aligned, cell, interval, number, p_words, signed

_HEAD = ("figure", "first", "95 % interval", "second", "95 % interval", "second - first", "95 % interval", "p")
_LONG = 100


def to_lines(comparison: Comparison, judged: Sequence[Gate]) -> list[str]:
    """What is printed: banners, figures, what differs, gates."""
    first, second = comparison.first, comparison.second
    data = first.record.data
    name = f"{cell(first.record.protocol['name'])} on {cell(data.get('name') or 'data')}"
    rows = [_HEAD, *(_row(found) for found in comparison.figures)]
    return [
        *(f"*** {cell(banner, _LONG)} ***" for banner in first.banners),
        f"{name}, data digest {cell(data['digest'], 20)}",
        *aligned([_named("first", first), _named("second", second)]),
        "",
        *aligned(rows, right=(1, 3, 5)),
        *(f"  {line}" for line in _notes(comparison.figures)),
        "",
        *_differing(comparison),
        *_below(comparison),
        *(_gate_line(gate) for gate in judged),
    ]


def to_object(comparison: Comparison, judged: Sequence[Gate]) -> dict[str, object]:
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
        "figures": [_figure(found) for found in comparison.figures],
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


def _row(found: Contrast) -> tuple[str, ...]:
    unit = found.unit
    sides = [
        word
        for figure in (found.first, found.second)
        for word in ((number(figure.value, unit), interval(figure.low, figure.high, unit)) if figure else (GAP, ""))
    ]
    between = "not paired" if found.difference is not None else ""
    if found.interval is not None:
        between = interval(found.interval.low, found.interval.high, unit)
    p_value = found.by_identity.p_value if found.by_identity else None
    return (cell(found.name), *sides, signed(found.difference, unit), between, p_words(p_value))


def _notes(figures: Sequence[Contrast]) -> Iterable[str]:
    if any(found.unit == "fraction" for found in figures):
        yield "Differences of fractions are in percentage points."
    paired = [found for found in figures if found.interval is not None]
    if paired:
        who = ", ".join(dict.fromkeys(count(found.paired) for found in paired))
        yield (
            f"Paired over {who} rows that both have. Interval: bootstrap over identities (folds where pairs are in "
            "folds). p: sign flips by identity, of each figure alone."
        )
    apart = sum(found.unshared for found in paired[:1])
    if apart:
        yield f"{count(apart)} rows of {cell(paired[0].name)} are in one run only and have no part in its difference."
    if any(found.interval is None and found.difference is not None for found in figures):
        yield "Not paired: the figure is no mean over rows (a threshold, a curve, a time), so there is no test of it."


def _differing(comparison: Comparison) -> list[str]:
    if not comparison.differs:
        return ["Nothing differs in configuration, versions, code or machine."]
    rows = [("", "first", "second")]
    rows += [(cell(d.what, _LONG), cell(d.first, 64), cell(d.second, 64)) for d in comparison.differs]
    return ["What differs:", *aligned(rows)]


def _below(comparison: Comparison) -> list[str]:
    """What is to be said where one run is of the LR face and the other is worse."""
    runs = (comparison.first, comparison.second)
    found = (below_lr_face(run, lr) for run in runs if (lr := lr_run_of(run, runs)) is not None)
    return [cell(sentence, len(sentence)) for sentence in found if sentence]


def _named(word: str, run: Run) -> tuple[str, str, str, str]:
    return word, cell(run.record.label), cell(run.folder_name), cell(run.record.created)


def _gate_line(gate: Gate) -> str:
    verdict = "FAILED" if gate.failed else "ok"
    way = "worse" if gate.change < 0 else "better"
    return f"{verdict}: {cell(gate.name)} is {abs(gate.change):.4g} {way}; allowed: {gate.points:g} worse"


def _run(run: Run) -> dict[str, object]:
    record = run.record
    return {
        "folder": run.folder_name,
        "label": record.label,
        "created": record.created,
        "bench_version": record.bench_version,
        "config_digest": record.config_digest,
        "sample": record.sample,
    }


def _figure(found: Contrast) -> dict[str, object]:
    middle, flips, exact = found.interval, found.by_identity, found.mcnemar
    return {
        "figure": found.name,
        "unit": found.unit,
        "first": figure_object(found.first),
        "second": figure_object(found.second),
        "difference": found.difference,
        "low": middle.low if middle else None,
        "high": middle.high if middle else None,
        "interval": middle.method if middle else "none: the figure is no mean over rows that both runs have",
        "paired": found.paired,
        "unshared": found.unshared,
        "p_identity": flips.p_value if flips else None,
        "p_mcnemar": exact.p_value if exact else None,
    }
