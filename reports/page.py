"""What a report says, in order, free of any markup: the templates for HTML and Markdown only lay it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.compare import Pair, compare
from reports.groups import Group
from reports.load import Run, Skipped
from reports.strips import Pictures, StripSet, changed, extremes
from reports.wording import GAP, count

READING = (
    (
        "Rank",
        "Place of the best mate among all gallery templates and distractors, sorted by score; 1 is best. A tie counts "
        "against the system: the mate is placed after every template of other people with the same score.",
    ),
    ("rank-k", "Share of all probes whose rank is k or better. The CMC curve is that share for every k."),
    (
        "mAP",
        "Mean over probes of the average precision over all mates, by the trapezoid rule of the TinyFace evaluation.",
    ),
    (
        "Failures",
        "A probe that failed in any stage is a miss and stays in the denominator. The figure without failures leaves "
        "such probes out, so it is over fewer probes; it is not the headline.",
    ),
    (
        "95 % interval",
        "Percentile bootstrap that draws whole identities with replacement, since probes of one person are not "
        "independent. Where all probes are hits, or none is, an exact (Clopper-Pearson) interval over identities.",
    ),
    (
        "Paired difference",
        "Rank-1 rate of the method less that of its baseline on the same probes, in percentage points. Both are "
        "resampled together, so its interval is narrower than two separate ones would suggest.",
    ),
    (
        "p-values",
        "McNemar: exact, takes probes as independent. By identity: signs of all differences of a person flipped "
        "together, which is the safer one where people have several probes. Holm: corrected for the number of "
        "comparisons in the section.",
    ),
    (
        "Missing values",
        "A dash means that there is no such value; it never stands for 0.",
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One run inside a section.

    Attributes:
        name: its name in the report.
        run: the run.
        pair: its comparison with a baseline, or None.
        base: whether it is the run that others are compared with.
        scored: probes that did not fail.
        ties: probes whose rank depends on how ties are broken.
    """

    name: str
    run: Run
    pair: Pair | None
    base: bool
    scored: int
    ties: int


@dataclass(frozen=True, slots=True)
class Section:
    """All about one group of comparable runs.

    Attributes:
        number: 1-based.
        protocol: the protocol with its arguments.
        dataset: name of the data set.
        banners: what must stand above its figures, with the runs concerned.
        official: whether the data are the published set.
        facts: terms and descriptions of what was measured on what.
        notes: sentences of the protocol about the data, and on the comparison.
        metrics: names of figures, in the order of the columns.
        entries: the runs.
        picture_sets: strips of images.
        picture_notes: what to know about the images.
        has_images: whether any strip has an image.
    """

    number: int
    protocol: str
    dataset: str
    banners: tuple[str, ...]
    official: bool
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    metrics: tuple[str, ...]
    entries: tuple[Entry, ...]
    picture_sets: tuple[StripSet, ...]
    picture_notes: tuple[str, ...]
    has_images: bool

    @property
    def pairs(self) -> list[Pair]:
        """The comparisons, in the order of the runs."""
        return [entry.pair for entry in self.entries if entry.pair]

    @property
    def baselines(self) -> set[str]:
        """Names of the runs that others are compared with."""
        return {pair.baseline_name for pair in self.pairs}

    @property
    def warnings(self) -> dict[str, list[str]]:
        """Sentences that belong beside the figures, each with the names of the runs concerned."""
        found: dict[str, list[str]] = {}
        for entry in self.entries:
            for text in entry.run.record.warnings:
                found.setdefault(text, []).append(entry.name)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report.

    Attributes:
        title: of the page.
        banners: what must stand on top, with the runs concerned.
        skipped: run folders that could not be used.
        sections: one for each group.
    """

    title: str
    banners: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    sections: tuple[Section, ...]


def make_page(groups: Sequence[Group], skipped: Sequence[Skipped], *, baseline: str | None) -> Page:
    """Put everything together.

    Args:
        groups: at least one.
        skipped: folders to name as unusable.
        baseline: the baseline asked for, or None for the default.
    """
    sections = tuple(_section(group, baseline) for group in groups)
    names = [f"{run.record.label} ({run.folder_name})" for group in groups for run in group.runs]
    runs = [run for group in groups for run in group.runs]
    title = f"Recognition via hallucination: {', '.join(dict.fromkeys(group.protocol for group in groups))}"
    return Page(title, _banners(names, runs), tuple(skipped), sections)


def _section(group: Group, baseline: str | None) -> Section:
    pairs = compare(group)
    bases = set(group.baselines)
    entries: list[Entry] = []
    sets: list[StripSet] = []
    with Pictures() as pictures:
        for place, (name, run) in enumerate(zip(group.names, group.runs, strict=True)):
            pair = pairs.get(place)
            scored = sum(row.status != "failed" for row in run.probes)
            entries.append(Entry(name, run, pair, place in bases, scored, _ties(run)))
            if pair:
                sets += changed(pair, pictures)
            elif len(group.runs) == 1:
                sets += extremes(run, name, pictures)
    record = group.first.record
    return Section(
        number=group.number,
        protocol=group.protocol,
        dataset=group.dataset,
        banners=_banners(group.names, group.runs),
        official=record.data.get("official") is True,
        facts=tuple(_facts(group)),
        notes=(*record.data.get("notes", []), *_comparison_notes(group, pairs, baseline)),
        metrics=group.metrics,
        entries=tuple(entries),
        picture_sets=tuple(sets),
        picture_notes=tuple(pictures.faults),
        has_images=any(strip.has_images for found in sets for strip in found.strips),
    )


def _facts(group: Group) -> Iterable[tuple[str, str]]:
    record = group.first.record
    rules, data = record.protocol, record.data
    yield "Protocol", f"{group.protocol}, version {rules.get('version', GAP)}"
    yield "Similarity", str(rules.get("similarity", GAP))
    yield "Templates", _choice(rules.get("unit_length"), "scaled to unit length", "as the recogniser gives them")
    yield "Mirrored copy", _choice(rules.get("flip"), "embedded too and fused (flip test)", "not used")
    yield "Recogniser", _all(run.recogniser for run in group.runs)
    yield "Alignment", _all(run.aligner for run in group.runs)
    yield "Hallucinated side", _all(run.side for run in group.runs)
    yield "Data", f"{group.dataset}, {'the official set' if data.get('official') is True else 'NOT the official set'}"
    yield "Counts", "; ".join(f"{role}: {count(n)}" for role, n in data.get("counts", {}).items()) or GAP
    yield "Data digest (SHA-256)", str(data["digest"])
    yield "Source", str(rules.get("source") or GAP)


def _comparison_notes(group: Group, pairs: Mapping[int, Pair], baseline: str | None) -> Iterable[str]:
    if len(group.runs) == 1:
        yield "One run only: there is nothing here to compare it with."
    elif baseline is not None and not any(
        baseline in (run.record.label, run.folder_name, name) for run, name in zip(group.runs, group.names, strict=True)
    ):
        yield f"No run here is called {baseline}; the first one is the baseline."
    for place, at in enumerate(group.baselines):
        if place != at and place not in pairs:
            yield f"{group.names[place]} shares no probe with {group.names[at]}: not compared."
    for pair in pairs.values():
        if pair.unshared:
            yield (
                f"{pair.name} and {pair.baseline_name} do not have the same probes: {count(pair.unshared)} are in one "
                f"only; their difference is over the {count(len(pair.changes))} that both have."
            )


def _banners(names: Sequence[str], runs: Sequence[Run]) -> tuple[str, ...]:
    """Each banner once, with the runs concerned where others stand beside them."""
    concerned: dict[str, list[str]] = {}
    for name, run in zip(names, runs, strict=True):
        for banner in run.banners:
            concerned.setdefault(banner, []).append(name)
    return tuple(
        banner if len(found) == len(runs) else f"{banner}: {', '.join(found)}" for banner, found in concerned.items()
    )


def _ties(run: Run) -> int:
    return sum(row.rank != row.rank_optimistic for row in run.probes)


def _choice(value: object, yes: str, no: str) -> str:
    return yes if value is True else no if value is False else GAP


def _all(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(word or GAP for word in words))
