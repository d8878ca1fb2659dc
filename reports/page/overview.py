"""All methods under all protocols: the first figure of each section, a row a method and recogniser."""

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
        aligner: where a section has the method under several; else empty, for protocols align each in its way.
        side: what went through the chain; ``by protocol`` where each protocol took its own.
        cells: one a section.
    """

    label: str
    recogniser: str
    aligner: str
    side: str
    cells: tuple[OverviewCell, ...]


def overview(sections: Sequence[Section]) -> list[OverviewRow]:
    """A row for each method and recogniser (and alignment, see `OverviewRow`), in the order met; none for one section.

    A figure that depends on no recogniser (time, expressions) stands in every row of its method. Where a section has
    several runs of a row, which differ in something else, the first counts.
    """
    if len(sections) < 2:
        return []
    split = _aligned_in_several_ways(sections)
    entries = [entry for section in sections for entry in section.entries]
    keys = dict.fromkeys(_key(entry, split) for entry in entries if entry.run.recognises)
    methods = {key[0] for key in keys}
    others = [_key(entry, split) for entry in entries if not entry.run.recognises]
    keys |= dict.fromkeys(key for key in others if key[0] not in methods)
    return [OverviewRow(*key, tuple(_cell(section, key, split) for section in sections)) for key in keys]


def first_unit(section: Section) -> str:
    """What stands beside the name of a section's first figure."""
    found = (entry.run.record.metrics.get(section.metrics[0]) for entry in section.entries)
    return unit_word(next(figure.unit for figure in found if figure))


def _aligned_in_several_ways(sections: Sequence[Section]) -> bool:
    for section in sections:
        ways: dict[_Key, set[str]] = {}
        for entry in section.entries:
            ways.setdefault(_key(entry, False), set()).add(entry.run.aligner)
        if any(len(aligners) > 1 for aligners in ways.values()):
            return True
    return False


def _key(entry: Entry, split: bool) -> _Key:
    run = entry.run
    return run.record.label, run.recogniser, run.aligner if split else "", run.side_by_flag if run.recognises else ""


def _cell(section: Section, key: _Key, split: bool) -> OverviewCell:
    name = section.metrics[0]
    for place, entry in enumerate(section.entries):
        own = _key(entry, split) == key if entry.run.recognises else entry.run.record.label == key[0]
        if own and name in entry.run.record.metrics:
            return OverviewCell(section, name, entry, section.mark(name, place))
    return OverviewCell(section)
