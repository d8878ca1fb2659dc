"""Describes a group of runs: protocol, recogniser and data as terms and descriptions, and notes on the comparison."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.evaluation.identification.galleries import gallery_names
from bench.results.kinds import EFFICIENCY, EXPRESSION, RESTORATION, VERIFICATION
from reports.runs.groups import Group
from reports.runs.searches import head_words, in_parts
from reports.runs.strongest import STRONGEST, strongest_notes
from reports.statistics.paired import BaselineComparison
from reports.text.numbers import GAP, chosen, count

_MACHINE = ("platform", "cpu_count", "device")


def describe_group(group: Group) -> Iterable[tuple[str, str]]:
    """Terms and descriptions of the protocol, the recogniser and the data of a group."""
    record = group.first.record
    rules, data = record.protocol, record.data
    yield "Protocol", f"{group.protocol}, version {rules.get('version', GAP)}"
    if group.first.recognises:
        yield "Similarity", str(rules.get("similarity", GAP))
        yield "Templates", _choice(rules.get("unit_length"), "scaled to unit length", "as the recogniser returns them")
        yield "Mirrored copy", _choice(rules.get("flip"), "also embedded, and fused (flip test)", "not used")
        yield "Recogniser", _distinct(run.recogniser for run in group.runs)
        yield "Alignment", _distinct(run.aligner for run in group.runs)
    if group.kind != EFFICIENCY:
        yield "Hallucinated side", _distinct(run.side for run in group.runs)
    yield from _describe_kind(group)
    if group.kind == EFFICIENCY:
        yield "Data", group.dataset
    else:
        official = data.get("official")
        standing = "" if official is None else ", the official set" if official is True else ", NOT the official set"
        yield "Data", group.dataset + standing
    counts = data.get("counts", {})
    if group.kind == EFFICIENCY:  # no gallery is enrolled, and the identities do not matter
        counts = {role: n for role, n in counts.items() if role == "probe"}
    yield "Counts", "; ".join(f"{role}: {count(n)}" for role, n in counts.items()) or GAP
    yield "Data digest (SHA-256)", str(data["digest"])
    yield "Source", str(rules.get("source") or GAP)


def _describe_kind(group: Group) -> Iterable[tuple[str, str]]:
    rules, probes = group.first.record.protocol, group.first.probes
    if group.first.searched and in_parts(run.probes for run in group.runs):
        names = [name for name in gallery_names(probes) if name]
        if names:
            yield "Galleries", ", ".join(names)
        yield "rank-k, mAP, curves, comparisons", f"searches with a mate in {head_words(probes) or 'the gallery'}"
    if group.kind == VERIFICATION:
        yield "Thresholds of folds", str(rules.get("thresholds", GAP))
        yield "TAR at a FAR", str(rules.get("far_rule", GAP))
    if group.kind == RESTORATION:
        for name, text in _table(rules.get("conventions")).items():
            yield str(name), str(text)
    if group.kind == EXPRESSION:
        yield "Classifier", chosen(_table(rules.get("classifier")), ("name", "weights", "train_on", "epochs"))
        yield "Folds tested", _list(rules.get("folds tested"))
    if group.kind == EFFICIENCY:
        yield "Faces per pass", _list(rules.get("batches"))
        yield "Passes", chosen(rules, ("warmup", "cores", "device"))


def comparison_notes(
    group: Group, comparisons: Mapping[int, BaselineComparison], baseline: str | None
) -> Iterable[str]:
    """Sentences on how the runs of a group are compared.

    Args:
        group: the group.
        comparisons: with the baselines, by index of the run.
        baseline: the baseline that the user named, or None.
    """
    if len(group.runs) == 1:
        yield "There is one run only, so nothing is compared."
    elif not group.first.searched:
        yield "Runs of this kind are shown side by side; no paired tests are made, so there are no p-values."
    elif baseline not in (None, STRONGEST) and not any(
        baseline in (run.record.label, run.folder_name, name) for run, name in zip(group.runs, group.names, strict=True)
    ):
        yield f"No run here is called {baseline}, so the first run is the baseline."
    if baseline == STRONGEST and len(group.runs) > 1:
        yield from strongest_notes(group.runs, group.names)
    if group.kind == EFFICIENCY:
        yield from _cost_notes(group)
    for index, at in enumerate(group.baselines):
        if index != at and index not in comparisons and group.first.searched:
            yield f"{group.names[index]} shares no probe with {group.names[at]}, so they are not compared."
    for comparison in comparisons.values():
        if comparison.unshared:
            yield (
                f"{comparison.name} and {comparison.baseline_name} do not have the same probes: "
                f"{count(comparison.unshared)} are in one run only. The difference is over the "
                f"{count(len(comparison.changes))} probes that both have."
            )


def _cost_notes(group: Group) -> Iterable[str]:
    for name, run in zip(group.names, group.runs, strict=True):
        rules = run.record.protocol
        yield f"{name}: parameters {rules.get('parameters') or GAP}; memory {rules.get('memory') or GAP}."
    machines = {chosen(run.record.environment, _MACHINE) for run in group.runs}
    if len(machines) > 1:
        listed = " | ".join(sorted(machines))
        yield f"These runs were timed on different machines, so times are not comparable: {listed}."


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) and value else GAP


def _choice(value: object, yes: str, no: str) -> str:
    if isinstance(value, str):
        return no if value == "none" else f"{yes}: {value}"
    return yes if value is True else no if value is False else GAP


def _distinct(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(name or GAP for name in names))
