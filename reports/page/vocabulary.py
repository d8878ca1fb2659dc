"""What differs in words between kinds of runs: what is counted, what became of failures, what an interval is over."""

from __future__ import annotations

from dataclasses import dataclass

from reports.runs.figure_names import split
from reports.runs.groups import Group
from reports.runs.items import EFFICIENCY, EXPRESSION, RESTORATION, VERIFICATION, pairs_of, passes_of
from reports.runs.run import Run
from reports.runs.searches import galleries, head_words, in_parts
from reports.text.numbers import unit_word


@dataclass(frozen=True, slots=True)
class Words:
    """How a section of one kind speaks.

    Attributes:
        items: heading of what is counted: Probes, Pairs, Faces.
        share: what figures are of, and what a failure does to them.
        interval: how intervals are made.
        brackets: what stands in brackets beside a figure; empty for nothing.
        blank: what it means that nothing stands there.
        failures: what failures do to the figures, for the table of failures.
    """

    items: str
    share: str
    interval: str
    brackets: str
    blank: str
    failures: str


_SEARCH = Words(
    items="Probes",
    share="Percent of all probes, a failed probe counted as a miss",
    interval="by bootstrap over identities",
    brackets="the figure over the probes that did not fail",
    blank="Where nothing stands in brackets, no probe of that run failed.",
    failures="A failed gallery image or distractor is not searched.",
)
_BY_KIND = {
    VERIFICATION: Words(
        items="Pairs",
        share="Percent of pairs; a pair with a failed template is an error of the accuracy and is never accepted",
        interval="by bootstrap over folds, or over identities where pairs are in none",
        brackets="the figure over the pairs that could be scored",
        blank="Where nothing stands in brackets, all pairs of that run could be scored.",
        failures="A pair with a failed image may still be scored where its templates hold others.",
    ),
    RESTORATION: Words(
        items="Faces",
        share=(
            "Means over the faces that could be compared (a failed face has no part in them), rates of all faces (a "
            "failed face is a miss) and counts, each in the unit beside its name"
        ),
        interval="by bootstrap over identities",
        brackets="a rate over the faces that did not fail",
        blank="How many faces failed is counted in failed_faces.",
        failures="Gallery: the true faces.",
    ),
    EXPRESSION: Words(
        items="Faces",
        share="Percent of all tested faces, a failed face counted as a miss",
        interval="by bootstrap over identities",
        brackets="the figure over the faces that did not fail",
        blank="Where nothing stands in brackets, no tested face of that run failed.",
        failures="Gallery: the true faces, which a classifier may be trained on.",
    ),
    EFFICIENCY: Words(
        items="Timed passes",
        share="Medians over timed passes, and counts, each in the unit beside its name",
        interval="by bootstrap over passes",
        brackets="",
        blank="A batch that failed has no figures.",
        failures="Of the drawn faces that were timed on.",
    ),
}
_UNKNOWN = Words(
    items="Items",
    share="Figures of a kind of run that this report does not know, each in the unit beside its name",
    interval="as run.json says",
    brackets="the figure over the items that did not fail",
    blank="Where nothing stands in brackets, nothing failed.",
    failures="",
)


def words_of(group: Group) -> Words:
    """How the section of a group speaks."""
    if not group.first.searched:
        return _BY_KIND.get(group.kind, _UNKNOWN)
    if not in_parts(run.probes for run in group.runs):
        return _SEARCH
    where = head_words(group.first.probes)
    share = f"Percent of the searches whose probe has a mate in the gallery{f' ({where})' if where else ''}"
    if len(galleries(group.first.probes)) > 1 and any(name.startswith("tpir@fpir") for name in group.metrics):
        share += "; tpir@fpir: the mean over the galleries that some probes have no mate in"
    return Words(
        items=_SEARCH.items,
        share=f"{share}; a failed probe counts as a miss",
        interval=_SEARCH.interval,
        brackets="the figure over the searches that did not fail",
        blank="Where nothing stands in brackets, no search of that run failed.",
        failures=_SEARCH.failures,
    )


def counted(run: Run) -> tuple[int, tuple[tuple[str, int, str], ...]]:
    """How much a run is of, and lines below it: words, a number, words."""
    if run.searched:
        return _counted_probes(run)
    if run.kind == VERIFICATION:
        pairs, failed = pairs_of(run.items)
        return pairs, (("(", pairs - failed, " scored)"),) if failed else ()
    if run.kind == EFFICIENCY:
        return passes_of(run.items), ()
    scored = sum(item.status != "failed" for item in run.items)
    return len(run.items), (("(", scored, " not failed)"),) if scored != len(run.items) else ()


def _counted_probes(run: Run) -> tuple[int, tuple[tuple[str, int, str], ...]]:
    own = [row for _, row in run.head]
    scored, ties = sum(row.status != "failed" for row in own), sum(row.rank != row.rank_optimistic for row in own)
    lines = [("", ties, " with ties")] if ties else []
    if not in_parts([run.probes]):
        return len(own), ((("(", scored, " not failed)"),) if scored != len(own) else ()) + tuple(lines)
    found = [("", len(run.probes), " searches"), ("", len(own), " of them in the headline figures")]
    if scored != len(own):
        found.append(("(", scored, " of these not failed)"))
    return len({row.template or row.key for row in run.probes}), (*found, *lines)


def units(group: Group) -> dict[str, str]:
    """What stands beside the name of each figure; nothing anywhere where all are fractions."""
    found = {name: figure.unit for run in reversed(group.runs) for name, figure in run.record.metrics.items()}
    if all(unit == "fraction" for unit in found.values()):
        return dict.fromkeys(found, "")
    return {
        name: "% of the eyes' distance" if split(name)[0] == "landmark_error" else unit_word(unit)
        for name, unit in found.items()
    }
