"""The figures of a run as lines of text: a table, what its first figure means, and what counts as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.results import Figure, RunRecord, split_name
from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION, recorded_kind

_MOST = 14  # figures printed one a line
_ITEMS = {IDENTIFICATION: "probes", VERIFICATION: "pairs", RESTORATION: "faces", EXPRESSION: "faces"}
_FAILED = {
    IDENTIFICATION: "a failed probe counts as a miss",
    VERIFICATION: "a pair with a failed template counts as an error and is never accepted",
    RESTORATION: "a failed face has no part in a mean, and is a miss of a rate",
    EXPRESSION: "a failed face counts as a miss",
}
"""What a failure does to the figures, by kind."""


def figure_lines(record: RunRecord) -> list[str]:
    """A line a figure, with its interval and how many items it is over; then what that means, in words.

    The figure without failures has a column where an item failed.
    """
    kind = recorded_kind(record.protocol)
    shown, folded = _headlines(record.metrics)
    failures = any(_differs(name, record.metrics[name]) for name in shown)
    rows = [("figure", "value", "95 % interval", "n", "without failures" if failures else "")]
    for name in shown:
        figure = record.metrics[name]
        without = _without(name, figure, kind) if failures else ""
        rows.append((figure_name(name), worded(figure.value, figure.unit), _interval(figure), f"{figure.n:,}", without))
    wide = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        f"{name:<{wide[0]}}  {value:>{wide[1]}}  {interval:<{wide[2]}}  {n:>{wide[3]}}  {without}".rstrip()
        for name, value, interval, n, without in rows
    ]
    for part, names in folded.items():
        values = (
            f"{figure_name(base)} {worded(record.metrics[name].value, record.metrics[name].unit)}"
            for base, name in names
        )
        lines.append(f"{part or 'also'}: {', '.join(values)}")
    meaning = in_words(record)
    return [*lines, *([meaning] if meaning else []), *_denominators(record, kind)]


def in_words(record: RunRecord) -> str:
    """What the first figure of a run means, as a sentence; empty where there is none for it."""
    metrics, kind = record.metrics, recorded_kind(record.protocol)
    if kind == IDENTIFICATION and "rank-1" in metrics:
        return f"{_of(metrics['rank-1'])} probes found their person first in the gallery."
    if kind == VERIFICATION and "accuracy" in metrics:
        figure = metrics["accuracy"]
        return f"{figure.value:.1%} of {figure.n:,} pairs were judged right: the same person, or two."
    if kind == EXPRESSION and "accuracy" in metrics:
        return f"{_of(metrics['accuracy'])} faces were given the expression that they show."
    if kind == RESTORATION and "psnr_db" in metrics:
        figure = metrics["psnr_db"]
        return f"The {figure.n:,} faces are {figure.value:.2f} dB PSNR from the true ones; higher is nearer."
    times = [(name, figure) for name, figure in metrics.items() if name.startswith("ms@batch=")]
    if kind == EFFICIENCY and times:
        name, figure = times[0]
        return f"One face takes {figure.value:,.1f} ms in batches of {name.removeprefix('ms@batch=')}."
    return ""


def figure_name(name: str) -> str:
    """A figure's name as literature writes it: ``map`` is mAP, also in ``map (G1)``."""
    base, _ = split_name(name)
    return f"mAP{name.removeprefix(base)}" if base == "map" else name


def worded(value: float, unit: str) -> str:
    """A figure's value with its unit: fractions as per cent."""
    if unit == "fraction":
        return f"{value:.2%}"
    if unit == "count":
        return f"{value:,.0f}"
    return f"{value:.4f}" if unit in ("ssim", "cosine", "lpips") else f"{value:.2f} {unit}"


def _of(figure: Figure) -> str:
    """``42 of 248``; where the value is no whole number of them, ``17.0% of 248``."""
    hits = figure.value * figure.n
    share = f"{round(hits):,}" if abs(hits - round(hits)) < 1e-6 else f"{figure.value:.1%}"
    return f"{share} of {figure.n:,}"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "none"
    return f"{worded(figure.low, figure.unit)} - {worded(figure.high, figure.unit)}"


def _counts_failures(name: str, figure: Figure) -> bool:
    """Whether failures have a part in a figure; in a mean, a count or a time they have none."""
    return figure.unit == "fraction" and not name.startswith("landmark_error")


def _differs(name: str, figure: Figure) -> bool:
    scored = None if figure.without_failures is None else figure.n_without_failures
    return _counts_failures(name, figure) and scored != figure.n


def _without(name: str, figure: Figure, kind: str) -> str:
    if not _counts_failures(name, figure):
        return ""
    if figure.without_failures is None:
        return "no probe was scored" if kind == IDENTIFICATION else "none was scored"
    return f"{worded(figure.without_failures, figure.unit)} of {figure.n_without_failures:,}"


def _headlines(metrics: Mapping[str, Figure]) -> tuple[Sequence[str], dict[str, list[tuple[str, str]]]]:
    """Figures that are printed one a line; of many, those of parts (a yaw, a class) by part: short and full name."""
    if len(metrics) <= _MOST:
        return list(metrics), {}
    shown: list[str] = []
    folded: dict[str, list[tuple[str, str]]] = {}
    for name in metrics:
        base, part = split_name(name)
        if part:
            folded.setdefault(part, []).append((base, name))
        else:
            shown.append(name)
    return (shown, folded) if shown else (list(metrics), {})


def _denominators(record: RunRecord, kind: str) -> list[str]:
    """What n counts, and what failures do to the figures."""
    if kind == EFFICIENCY:
        timed = any(figure.unit == "ms" for figure in record.metrics.values())
        return ["times are medians; their n counts timed passes"] if timed else []
    items = record.protocol.get("items", _ITEMS.get(kind, "items"))
    people = record.data["counts"]["probe identities"]
    return [f"n counts {items}, of {people:,} identities; {_FAILED.get(kind, 'failures are counted below')}"]
