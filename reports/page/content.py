"""Builds the content of a page from groups of runs; templates and writers only lay it out."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results.kinds import EFFICIENCY, EXPRESSION, RESTORATION, VERIFICATION
from reports.page.banners import describe_denominator, merge_banners, warn_below_lr
from reports.page.description import comparison_notes, describe_group
from reports.page.examples import SHOWN, SHOWN_OF_MANY, ExampleSet, choose_changed, choose_extremes, choose_restored
from reports.page.glossary import terms_for
from reports.page.model import Entry, FigureTable, Page, PartRow, PartTable, Section
from reports.page.vocabulary import count_rows, figure_units, vocabulary_of
from reports.runs.figure_names import split
from reports.runs.groups import Group, short_names
from reports.runs.images import Pictures
from reports.runs.run import Skipped
from reports.runs.searches import in_parts
from reports.statistics.confusion import ConfusionMatrix, confusion_matrices
from reports.statistics.paired import compare_with_baselines
from reports.statistics.pairwise import baseline_differences, baseline_figure, rank_runs
from reports.statistics.values import direction

_RECOGNISING = "Recognition via hallucination"
_FEW_COMPARISONS = 3
"""Up to so many comparisons of a section show `SHOWN` examples each, else `SHOWN_OF_MANY`."""


def make_page(
    groups: Sequence[Group], skipped: Sequence[Skipped], *, baseline: str | None, pictures: bool = True
) -> Page:
    """Build the content of a report.

    Args:
        groups: at least one.
        skipped: run folders to name as unusable.
        baseline: the baseline that the user named, or None for the default.
        pictures: whether to show images.
    """
    titles = short_names(groups)
    sections = tuple(_section(group, title, baseline, pictures) for group, title in zip(groups, titles, strict=True))
    names = [f"{run.record.label} ({run.folder_name})" for group in groups for run in group.runs]
    runs = [run for group in groups for run in group.runs]
    topic = _RECOGNISING if any(run.searched or run.kind == VERIFICATION for run in runs) else "Face hallucination"
    terms = terms_for(
        (run.kind for run in runs),
        parts=in_parts(run.probes for run in runs if run.searched),
        ranked=any(section.figures.rankings for section in sections),
    )
    return Page(f"{topic}: {', '.join(titles)}", merge_banners(names, runs), tuple(skipped), sections, terms)


def _section(group: Group, title: str, baseline: str | None, pictures: bool) -> Section:
    comparisons = compare_with_baselines(group)
    rankings = rank_runs(group)
    differences = baseline_differences(group, comparisons, rankings)
    entries = tuple(
        Entry(
            name,
            run,
            comparisons.get(index),
            differences.get(index),
            index in group.baselines,
            group.baselines[index],
            *count_rows(run),
        )
        for index, (name, run) in enumerate(zip(group.names, group.runs, strict=True))
    )
    examples, faults = _examples(group, entries, shown=pictures)
    units = figure_units(group)
    record = group.first.record
    return Section(
        group=group,
        title=title,
        official=record.data.get("official") is True or group.kind == EFFICIENCY,
        banners=merge_banners(group.names, group.runs),
        facts=tuple(describe_group(group)),
        notes=(*record.data.get("notes", []), *comparison_notes(group, comparisons, baseline)),
        vocabulary=vocabulary_of(group),
        denominator=describe_denominator(group),
        entries=entries,
        figures=FigureTable(
            group.headlines, units, _directions(group), rankings, baseline_figure(group) if differences else ""
        ),
        parts=_parts(group, entries, units),
        below_lr=warn_below_lr(group),
        matrices=tuple(_matrices(group)),
        examples=examples,
        image_faults=faults,
    )


def _examples(group: Group, entries: Sequence[Entry], *, shown: bool) -> tuple[tuple[ExampleSet, ...], tuple[str, ...]]:
    """Example images, and sentences on images that could not be read."""
    sets: list[ExampleSet] = []
    comparisons = sum(entry.comparison is not None for entry in entries)
    limit = SHOWN if comparisons <= _FEW_COMPARISONS else SHOWN_OF_MANY
    with Pictures(shown=shown) as pictures:
        for entry in entries:
            if entry.comparison:
                sets += choose_changed(entry.comparison, pictures, limit)
            elif entry.run.kind == RESTORATION:
                sets += choose_restored(entry.run, entry.name, pictures)
            elif len(entries) == 1 and entry.run.searched:
                sets += choose_extremes(entry.run, entry.name, pictures)
    return tuple(sets), tuple(pictures.faults)


def _directions(group: Group) -> dict[str, str]:
    """For each headline figure ``higher`` or ``lower``; empty where neither is better."""
    units = {name: figure.unit for run in reversed(group.runs) for name, figure in run.record.metrics.items()}
    return {name: direction(name, units[name]) or "" for name in group.headlines}


def _parts(group: Group, entries: Sequence[Entry], units: dict[str, str]) -> PartTable:
    """One row for each part and run that has any figure of the part."""
    full_names = {split(name): name for name in group.metrics if name not in group.headlines}
    columns = {base: units[name] for (base, _), name in full_names.items()}
    rows = []
    for part in dict.fromkeys(part for _, part in full_names):
        for entry in entries:
            names = tuple(full_names.get((base, part)) for base in columns)
            if any(name in entry.run.record.metrics for name in names if name):
                rows.append(PartRow(part, entry, names))
    return PartTable(tuple(columns.items()), tuple(rows))


def _matrices(group: Group) -> list[ConfusionMatrix]:
    """The confusion matrices of all runs."""
    if group.kind != EXPRESSION:
        return []
    labels = group.first.record.protocol["labels"]
    return [
        matrix
        for name, run in zip(group.names, group.runs, strict=True)
        for matrix in confusion_matrices(name, run.items, labels)
    ]
