"""What a report says, in order, free of any markup: the templates for HTML and Markdown only lay it out."""

from __future__ import annotations

from collections.abc import Sequence

from reports.page.description import comparison_notes, facts
from reports.page.glossary import reading
from reports.page.model import Entry, Page, Part, Section
from reports.page.sentences import banners, below, over
from reports.page.strips import SHOWN, SHOWN_OF_MANY, StripSet, changed, extremes, restored
from reports.page.vocabulary import counted, units, words_of
from reports.runs.figure_names import split
from reports.runs.groups import Group, short_names
from reports.runs.images import Pictures
from reports.runs.items import EFFICIENCY, EXPRESSION, RESTORATION, VERIFICATION
from reports.runs.run import Skipped
from reports.runs.searches import in_parts
from reports.statistics.confusion import Matrix, matrices
from reports.statistics.paired import compare
from reports.statistics.pairwise import delta_name, deltas, standings

_RECOGNISING = "Recognition via hallucination"
_FEW = 3  # pairs of runs with as many strips as there is room for


def make_page(
    groups: Sequence[Group], skipped: Sequence[Skipped], *, baseline: str | None, pictures: bool = True
) -> Page:
    """Put everything together.

    Args:
        groups: at least one.
        skipped: folders to name as unusable.
        baseline: the baseline asked for, or None for the default.
        pictures: whether to show any.
    """
    short = short_names(groups)
    sections = tuple(_section(group, name, baseline, pictures) for group, name in zip(groups, short, strict=True))
    names = [f"{run.record.label} ({run.folder_name})" for group in groups for run in group.runs]
    runs = [run for group in groups for run in group.runs]
    what = _RECOGNISING if any(run.searched or run.kind == VERIFICATION for run in runs) else "Face hallucination"
    title = f"{what}: {', '.join(short)}"
    terms = reading((run.kind for run in runs), parts=in_parts(run.probes for run in runs if run.searched))
    return Page(title, banners(names, runs), tuple(skipped), sections, terms)


def _section(group: Group, short: str, baseline: str | None, shown: bool) -> Section:
    pairs = compare(group)
    standing = standings(group)
    gains = deltas(group, pairs, standing)
    bases = set(group.baselines)
    entries: list[Entry] = []
    sets: list[StripSet] = []
    most = SHOWN if len(pairs) <= _FEW else SHOWN_OF_MANY
    with Pictures(shown=shown) as pictures:
        for place, (name, run) in enumerate(zip(group.names, group.runs, strict=True)):
            pair = pairs.get(place)
            entries.append(
                Entry(name, run, pair, gains.get(place), place in bases, group.baselines[place], *counted(run))
            )
            if pair:
                sets += changed(pair, pictures, most)
            elif run.kind == RESTORATION:
                sets += restored(run, name, pictures)
            elif len(group.runs) == 1 and run.searched:
                sets += extremes(run, name, pictures)
    record = group.first.record
    columns, parts = _parts(group, entries)
    return Section(
        number=group.number,
        protocol=group.protocol,
        short=short,
        dataset=group.dataset,
        banners=banners(group.names, group.runs),
        official=record.data.get("official") is True or group.kind == EFFICIENCY,
        facts=tuple(facts(group)),
        notes=(*record.data.get("notes", []), *comparison_notes(group, pairs, baseline)),
        kind=group.kind,
        words=words_of(group),
        searched=group.first.searched,
        over=over(group),
        metrics=group.headlines,
        standings=standing,
        delta=delta_name(group) if gains else "",
        units=units(group),
        columns=columns,
        parts=parts,
        entries=tuple(entries),
        below=below(group),
        matrices=tuple(_matrices(group)),
        picture_sets=tuple(sets),
        picture_notes=tuple(pictures.faults),
        has_images=any(strip.has_images for found in sets for strip in found.strips),
    )


def _parts(group: Group, entries: Sequence[Entry]) -> tuple[tuple[tuple[str, str], ...], tuple[Part, ...]]:
    """Columns and rows of the folded table: a row a part and run, as far as it has any of the figures."""
    names = {split(name): name for name in group.metrics if name not in group.headlines}
    named = units(group)
    columns = {base: named[name] for (base, _), name in names.items()}
    rows = []
    for part in dict.fromkeys(part for _, part in names):
        for entry in entries:
            own = tuple(names.get((base, part)) for base in columns)
            if any(name in entry.run.record.metrics for name in own if name):
                rows.append(Part(part, entry, own))
    return tuple(columns.items()), tuple(rows)


def _matrices(group: Group) -> list[Matrix]:
    """The confusion matrices of all runs."""
    if group.kind != EXPRESSION:
        return []
    labels = group.first.record.protocol["labels"]
    return [
        found for name, run in zip(group.names, group.runs, strict=True) for found in matrices(name, run.items, labels)
    ]
