"""What the commands print of a run: before it, what is measured; after it, the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.evaluation import UNRECOGNISED, kind_of
from bench.evaluation.contract import Prepared
from bench.execution.record import processor_note
from bench.io.columns import align_columns
from bench.io.printing import printable
from bench.results import Figure, RunRecord, split_name
from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION, recorded_kind
from bench.results.text import SAMPLE

_NOT_OFFICIAL = "Not the official"
_MAX_LINES = 14  # figures printed one a line
_ITEMS = {IDENTIFICATION: "probes", VERIFICATION: "pairs", RESTORATION: "faces", EXPRESSION: "faces"}
_FAILED = {
    IDENTIFICATION: "a failed probe counts as a miss",
    VERIFICATION: "a pair with a failed template counts as an error and is never accepted",
    RESTORATION: "a failed face has no part in a mean, and is a miss of a rate",
    EXPRESSION: "a failed face counts as a miss",
}
"""How a failure counts in the figures, by kind."""


def describe_run(run: Prepared, printed: set[str] | None = None) -> str:
    """What a run is going to measure, in a few lines.

    Args:
        run: the prepared run.
        printed: banners and notes that were printed before, which are left out; those of this run are added.
    """
    kind = kind_of(run.data)
    costs = kind == EFFICIENCY
    counts = ", ".join(f"{len(media):,} {role}" for role, media in run.media.items() if media or not costs)
    lines = [f"*** {SAMPLE.format(run.protocol.component.dataset)} ***"] if run.sample else []
    chain = f"hallucinator {run.config.hallucinator}"
    if not costs:
        chain += f" on {run.side if run.side != 'both' else 'probe and gallery'}"
    if kind not in UNRECOGNISED:
        chain += (
            f", recogniser {run.config.recogniser}, alignment {run.probe_plan.align} (gallery {run.gallery_plan.align})"
        )
    lines += [
        f"{run.config.protocol}: {counts} images {'drawn by the suite' if costs else f'from {run.root}'}",
        chain,
        *(f"picked: {note}" for note in run.arrangement.notes),
        *(f"warning: {warning}" for warning in run.arrangement.warnings),
        *(f"note: {note}" for note in notes_of(run)),
    ]
    note = processor_note(run.config.device, (run.probe_plan, run.gallery_plan), embeds=kind not in UNRECOGNISED)
    lines += [f"note: {note}"] if note else []
    if printed is not None:
        lines = [line for line in lines if line not in printed]
        printed.update(line for line in lines if line.startswith(("***", "note: ")))
    return "\n".join(map(printable, lines))


def notes_of(run: Prepared) -> list[str]:
    """Notes on the data: those of the protocol, and that they are not the official set.

    The second is left out for a sample, whose banner says it, and where a note says it.
    """
    notes = [note for note in run.data.notes if not (run.sample and note.startswith(_NOT_OFFICIAL))]
    if run.data.official is False and not run.sample and not any(note.startswith(_NOT_OFFICIAL) for note in notes):
        notes.append(f"{_NOT_OFFICIAL} {run.protocol.component.dataset} set.")
    return notes


def figure_lines(record: RunRecord) -> list[str]:
    """A line a figure, with its interval and number of items; then its meaning in words."""
    rows, more = figure_rows(record.metrics, recorded_kind(record.protocol))
    return [*align_columns(rows, right=(1, 3), indent=0), *more, *run_notes(record)]


def figure_rows(metrics: Mapping[str, Figure], kind: str) -> tuple[list[tuple[str, ...]], list[str]]:
    """The table of figures as text.

    Args:
        metrics: figures by name.
        kind: of the run.

    Returns:
        A head and one row a figure: name, value, interval, number of items, and the figure without failures, a column
        that is empty where no item failed. Then lines with the figures of parts, where there are many.
    """
    listed, folded = _headlines(metrics)
    failures = any(_differs(name, metrics[name]) for name in listed)
    rows = [("figure", "value", "95 % interval", "n", "without failures" if failures else "")]
    for name in listed:
        figure = metrics[name]
        without = _without(name, figure, kind) if failures else ""
        rows.append(
            (figure_name(name), worded(figure.value, figure.unit), interval_text(figure), f"{figure.n:,}", without)
        )
    lines = []
    for part, names in folded.items():
        values = (f"{figure_name(base)} {worded(metrics[name].value, metrics[name].unit)}" for base, name in names)
        lines.append(f"{part or 'also'}: {', '.join(values)}")
    return list(rows), lines


def run_notes(record: RunRecord) -> list[str]:
    """The meaning of the first figure, and what n counts."""
    meaning = in_words(record)
    return [*([meaning] if meaning else []), *_denominators(record, recorded_kind(record.protocol))]


def recogniser_of(record: RunRecord) -> str:
    """The recogniser or classifier in brackets; empty where only costs are measured."""
    kind = recorded_kind(record.protocol)
    if kind == EXPRESSION:
        return f"  ({record.protocol.get('classifier', {}).get('name', 'classifier')})"
    return "" if kind in UNRECOGNISED else f"  ({record.stages[-1].name})"


def in_words(record: RunRecord) -> str:
    """The meaning of the first figure of a run as a sentence; empty where there is none."""
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


def interval_text(figure: Figure) -> str:
    """The interval of a figure in its unit; ``none`` without one."""
    if figure.low is None or figure.high is None:
        return "none"
    return f"{worded(figure.low, figure.unit)} - {worded(figure.high, figure.unit)}"


def _counts_failures(name: str, figure: Figure) -> bool:
    """Whether failures count in a figure; in a mean, a count or a time they do not."""
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
    """Figures that are printed one a line; of many, those of a yaw or a class by that part: short and full name."""
    if len(metrics) <= _MAX_LINES:
        return list(metrics), {}
    listed: list[str] = []
    folded: dict[str, list[tuple[str, str]]] = {}
    for name in metrics:
        base, part = split_name(name)
        if part:
            folded.setdefault(part, []).append((base, name))
        else:
            listed.append(name)
    return (listed, folded) if listed else (list(metrics), {})


def _denominators(record: RunRecord, kind: str) -> list[str]:
    """What n counts, and how failures count."""
    if kind == EFFICIENCY:
        timed = any(figure.unit == "ms" for figure in record.metrics.values())
        return ["times are medians; their n counts timed passes"] if timed else []
    items = record.protocol.get("items", _ITEMS.get(kind, "items"))
    people = record.data["counts"]["probe identities"]
    return [f"n counts {items}, of {people:,} identities; {_FAILED.get(kind, 'failures are counted below')}"]
