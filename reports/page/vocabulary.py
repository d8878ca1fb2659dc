"""The words that differ between kinds of runs: what is counted, what a failure does, how intervals are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bench.evaluation.efficiency.figures import timed_passes
from bench.evaluation.identification.galleries import gallery_names
from bench.evaluation.verification.figures import pair_counts
from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION
from reports.runs.figure_names import split
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.runs.searches import head_words, in_parts
from reports.text.numbers import unit_word


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of a section of one kind of run.

    Attributes:
        items: heading of the column with the counts: Probes, Pairs, Faces.
        share: the denominator of the figures, and how a failure counts.
        interval: how intervals are computed.
        brackets: the figure in brackets beside a figure; empty for none.
        blank: what an absent figure in brackets means.
        failures: what failures do to the figures, for the table of failures.
    """

    items: str
    share: str
    interval: str
    brackets: str
    blank: str
    failures: str


_BY_IDENTITY = "by bootstrap over identities"
_VOCABULARIES: Mapping[str, Vocabulary] = {
    IDENTIFICATION: Vocabulary(
        "Probes",
        "Percent of all probes; a failed probe counts as a miss",
        _BY_IDENTITY,
        "the figure over the probes that did not fail",
        "Where no figure in brackets is given, no probe of that run failed.",
        "A failed gallery image or distractor is not searched.",
    ),
    VERIFICATION: Vocabulary(
        "Pairs",
        "Percent of pairs; a pair with a failed template is an error of the accuracy and is never accepted",
        "by bootstrap over folds, or over identities where the pairs are in no folds",
        "the figure over the pairs that could be scored",
        "Where no figure in brackets is given, all pairs of that run could be scored.",
        "A pair with a failed image may still be scored if its templates contain other images.",
    ),
    RESTORATION: Vocabulary(
        "Faces",
        "Means over the faces that could be compared (failed faces are left out), rates of all faces (a failed face is "
        "a miss) and counts, each in the unit beside its name",
        _BY_IDENTITY,
        "a rate over the faces that did not fail",
        "The number of failed faces is given as failed_faces.",
        "Gallery: the ground-truth faces.",
    ),
    EXPRESSION: Vocabulary(
        "Faces",
        "Percent of all tested faces; a failed face counts as a miss",
        _BY_IDENTITY,
        "the figure over the faces that did not fail",
        "Where no figure in brackets is given, no tested face of that run failed.",
        "Gallery: the ground-truth faces, on which a classifier may be trained.",
    ),
    EFFICIENCY: Vocabulary(
        "Timed passes",
        "Medians over timed passes, and counts, each in the unit beside its name",
        "by bootstrap over passes",
        "",
        "A batch that failed has no figures.",
        "Of the drawn faces that were used for timing.",
    ),
}
_UNKNOWN = Vocabulary(
    "Rows",
    "Figures of a kind of run that this version of the report does not know, each in the unit beside its name",
    "as run.json says",
    "the figure over the rows that did not fail",
    "Where no figure in brackets is given, no row failed.",
    "",
)


def vocabulary_of(group: Group) -> Vocabulary:
    """The words of the section of a group."""
    vocabulary = _VOCABULARIES.get(group.kind, _UNKNOWN)
    if not group.first.searched or not in_parts(run.probes for run in group.runs):
        return vocabulary
    where = head_words(group.first.probes)
    share = f"Percent of the searches whose probe has a mate in the gallery{f' ({where})' if where else ''}"
    if len(gallery_names(group.first.probes)) > 1 and any(name.startswith("tpir@fpir") for name in group.metrics):
        share += "; tpir@fpir: the mean over the galleries in which some probes have no mate"
    return replace(
        vocabulary,
        share=f"{share}; a failed probe counts as a miss",
        brackets="the figure over the searches that did not fail",
        blank="Where no figure in brackets is given, no search of that run failed.",
    )


@dataclass(frozen=True, slots=True)
class Count:
    """A number within a short text: ``(``, 12, `` not failed)``."""

    before: str
    number: int
    after: str


def count_rows(run: Run) -> tuple[int, tuple[Count, ...]]:
    """The number of probes, pairs, faces or passes of a run, and counts among them: not failed, ties, searches."""
    if run.searched:
        return _count_probes(run)
    if run.kind == VERIFICATION:
        pairs, failed = pair_counts(run.items)
        return pairs, (Count("(", pairs - failed, " scored)"),) if failed else ()
    if run.kind == EFFICIENCY:
        return timed_passes(run.items), ()
    scored = sum(item.status != "failed" for item in run.items)
    return len(run.items), (Count("(", scored, " not failed)"),) if scored != len(run.items) else ()


def _count_probes(run: Run) -> tuple[int, tuple[Count, ...]]:
    rows = [row for _, row in run.head]
    scored, ties = sum(row.status != "failed" for row in rows), sum(row.rank != row.rank_optimistic for row in rows)
    with_ties = (Count("", ties, " with ties"),) if ties else ()
    if not in_parts([run.probes]):
        failed = (Count("(", scored, " not failed)"),) if scored != len(rows) else ()
        return len(rows), (*failed, *with_ties)
    counts = [Count("", len(run.probes), " searches"), Count("", len(rows), " of them in the headline figures")]
    if scored != len(rows):
        counts.append(Count("(", scored, " of these not failed)"))
    return len({row.template or row.key for row in run.probes}), (*counts, *with_ties)


def figure_units(group: Group) -> dict[str, str]:
    """The unit beside the name of each figure; empty texts where all figures are fractions."""
    units = {name: figure.unit for run in reversed(group.runs) for name, figure in run.record.metrics.items()}
    if all(unit == "fraction" for unit in units.values()):
        return dict.fromkeys(units, "")
    return {
        name: "% of the interocular distance" if split(name)[0] == "landmark_error" else unit_word(unit)
        for name, unit in units.items()
    }
