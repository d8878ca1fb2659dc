"""All methods under all protocols: the first figure of each section, one row for each method and recogniser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.page.model import Entry, Section
from reports.text.numbers import unit_word

_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class OverviewCell:
    """The first figure of a run; ``name`` is empty where a row has no run in that section."""

    section: Section
    name: str = ""
    entry: Entry | None = None
    mark: str = ""


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """A method under one recogniser.

    Attributes:
        label: the chain as the user wrote it.
        recogniser: empty where nothing is recognised.
        aligner: only where a section has the method under several aligners; else empty, because each protocol may
            align in another way.
        side: what was hallucinated; ``by protocol`` where each protocol chose its side.
        cells: one for each section.
    """

    label: str
    recogniser: str
    aligner: str
    side: str
    cells: tuple[OverviewCell, ...]


def overview(sections: Sequence[Section]) -> list[OverviewRow]:
    """One row for each method and recogniser (and aligner, see `OverviewRow`); no rows for a single section.

    A figure that depends on no recogniser (time, expressions) is in every row of its method. Where a section has
    several runs for one row, which differ in something else, the first one is shown.
    """
    if len(sections) < 2:
        return []
    split = _has_several_aligners(sections)
    entries = [entry for section in sections for entry in section.entries]
    keys = dict.fromkeys(_key(entry, split) for entry in entries if entry.run.recognises)
    methods = {key[0] for key in keys}
    others = [_key(entry, split) for entry in entries if not entry.run.recognises]
    keys |= dict.fromkeys(key for key in others if key[0] not in methods)
    return [OverviewRow(*key, tuple(_cell(section, key, split) for section in sections)) for key in keys]


def first_unit(section: Section) -> str:
    """The unit beside the name of the first figure of a section."""
    figures = (entry.run.record.metrics.get(section.figures.names[0]) for entry in section.entries)
    return unit_word(next(figure.unit for figure in figures if figure))


def _has_several_aligners(sections: Sequence[Section]) -> bool:
    for section in sections:
        aligners: dict[_Key, set[str]] = {}
        for entry in section.entries:
            aligners.setdefault(_key(entry, False), set()).add(entry.run.aligner)
        if any(len(names) > 1 for names in aligners.values()):
            return True
    return False


def _key(entry: Entry, split: bool) -> _Key:
    run = entry.run
    return run.record.label, run.recogniser, run.aligner if split else "", run.side_by_flag if run.recognises else ""


def _cell(section: Section, key: _Key, split: bool) -> OverviewCell:
    name = section.figures.names[0]
    for index, entry in enumerate(section.entries):
        same = _key(entry, split) == key if entry.run.recognises else entry.run.record.label == key[0]
        if same and name in entry.run.record.metrics:
            return OverviewCell(section, name, entry, section.figures.mark(name, index))
    return OverviewCell(section)
