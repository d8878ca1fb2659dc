"""The content of a page without markup: sections of comparable runs, their figures, and example images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.page.examples import ExampleSet
from reports.page.glossary import Terms
from reports.page.vocabulary import Count, Vocabulary
from reports.runs.groups import Group
from reports.runs.run import Run, Skipped
from reports.statistics.confusion import ConfusionMatrix
from reports.statistics.paired import BaselineComparison
from reports.statistics.pairwise import BaselineDifference, FigureRanking


@dataclass(frozen=True, slots=True)
class Entry:
    """One run of a section.

    Attributes:
        name: its name in the report.
        run: the run.
        comparison: with its baseline, probe by probe, or None.
        difference: to its baseline in `FigureTable.baseline_figure`, or None.
        is_baseline: whether other runs are compared with it.
        baseline_index: index of its baseline in the section; its own index where it has none.
        total: number of probes, pairs, faces or passes.
        counts: among them, such as those that did not fail.
    """

    name: str
    run: Run
    comparison: BaselineComparison | None
    difference: BaselineDifference | None
    is_baseline: bool
    baseline_index: int
    total: int
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class FigureTable:
    """The table of headline figures.

    Attributes:
        names: of the figures, in the order of the columns.
        units: the unit beside a name, of all figures of the group; empty where all figures are fractions.
        better: ``higher`` or ``lower`` for each figure; empty where neither is better.
        rankings: by figure; empty for one run.
        baseline_figure: the figure whose differences to the baseline are shown; empty where there are none.
    """

    names: tuple[str, ...]
    units: Mapping[str, str]
    better: Mapping[str, str]
    rankings: Mapping[str, FigureRanking]
    baseline_figure: str

    def mark(self, name: str, index: int) -> str:
        """``best``, ``tied`` or an empty text, for a figure of the run at that index."""
        return self.rankings[name].mark(index) if name in self.rankings else ""

    @property
    def without_ties(self) -> list[str]:
        """Figures with a best run for which ties cannot be computed."""
        return [name for name, ranking in self.rankings.items() if ranking.best and not ranking.testable]


@dataclass(frozen=True, slots=True)
class PartRow:
    """One row of the table of parts.

    Attributes:
        part: a yaw, a gallery, a class; empty for further figures of the whole.
        entry: the run.
        names: full name of the figure of each column, or None where the run has none.
    """

    part: str
    entry: Entry
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class PartTable:
    """The folded table with the figures of parts.

    Attributes:
        columns: names of figures without their part, and their units.
        rows: one for each part and run.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[PartRow, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parts."""
        return tuple(dict.fromkeys(row.part for row in self.rows if row.part))


@dataclass(frozen=True, slots=True)
class Section:
    """A group of comparable runs as the page shows it.

    Attributes:
        group: the runs with their protocol and data.
        title: the protocol, with the arguments in which other sections of it differ.
        official: whether the data are the published set, or nothing is published.
        banners: to show above the figures, with the runs concerned.
        facts: terms and descriptions: protocol, recogniser, data.
        notes: sentences of the protocol about the data, and on the comparison.
        vocabulary: the words of this kind of run.
        denominator: the probes or searches that headline figures, curves and comparisons are over.
        entries: the runs.
        figures: the table of headline figures.
        parts: the table with the figures of parts.
        below_lr: a sentence for each run that is worse than the LR face of the section, by name of the run.
        matrices: confusion matrices of expressions.
        examples: example images.
        image_faults: sentences on images that could not be read.
    """

    group: Group
    title: str
    official: bool
    banners: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    vocabulary: Vocabulary
    denominator: str
    entries: tuple[Entry, ...]
    figures: FigureTable
    parts: PartTable
    below_lr: Mapping[str, str]
    matrices: tuple[ConfusionMatrix, ...]
    examples: tuple[ExampleSet, ...]
    image_faults: tuple[str, ...]

    @property
    def number(self) -> int:
        """1-based position in the report."""
        return self.group.number

    @property
    def searched(self) -> bool:
        """Whether probes are searched in a gallery: only then are there curves and comparisons."""
        return self.group.first.searched

    @property
    def comparisons(self) -> list[BaselineComparison]:
        """The comparisons of runs with their baselines, in the order of the runs."""
        return [entry.comparison for entry in self.entries if entry.comparison]

    @property
    def baselines(self) -> set[str]:
        """Names of the baselines that differences are to."""
        return {entry.difference.baseline for entry in self.entries if entry.difference}

    @property
    def has_images(self) -> bool:
        """Whether any example has an image."""
        return any(example.has_images for examples in self.examples for example in examples.examples)

    @property
    def automatic_choices(self) -> dict[str, list[str]]:
        """Settings that the suite chose because the user named none, each with the names of its runs."""
        return _names_by_sentence((entry.name, entry.run.automatic_choices) for entry in self.entries)

    @property
    def warnings(self) -> dict[str, list[str]]:
        """Warnings that belong beside the figures, each with the names of its runs."""
        of_runs = [(entry.name, entry.run.record.warnings) for entry in self.entries]
        return _names_by_sentence([*of_runs, *((name, (text,)) for name, text in self.below_lr.items())])


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes:
        title: of the page.
        banners: to show at the top, with the runs concerned.
        skipped: run folders that could not be used.
        sections: one for each group.
        terms: the glossary.
    """

    title: str
    banners: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    sections: tuple[Section, ...]
    terms: Terms


def _names_by_sentence(sentences_by_name: Iterable[tuple[str, Sequence[str]]]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, sentences in sentences_by_name:
        for sentence in sentences:
            names.setdefault(sentence, []).append(name)
    return names
