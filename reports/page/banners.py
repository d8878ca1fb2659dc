"""Banners of several runs, warnings on runs below the LR face, and the denominator of the headline figures."""

from __future__ import annotations

from collections.abc import Sequence

from bench.diagnosis.below import below_lr_face, lr_run_of
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.runs.searches import head_words, in_parts


def warn_below_lr(group: Group) -> dict[str, str]:
    """A sentence for each run that is worse than the LR face of the group beyond the interval, by name of the run."""
    warnings = {}
    for name, run in zip(group.names, group.runs, strict=True):
        lr = lr_run_of(run, group.runs)
        sentence = below_lr_face(run, lr) if lr else None
        if sentence:
            warnings[name] = sentence
    return warnings


def merge_banners(names: Sequence[str], runs: Sequence[Run]) -> tuple[str, ...]:
    """Each banner once, followed by the names of its runs where not all runs have it."""
    names_by_banner: dict[str, list[str]] = {}
    for name, run in zip(names, runs, strict=True):
        for banner in run.banners:
            names_by_banner.setdefault(banner, []).append(name)
    return tuple(
        banner if len(concerned) == len(runs) else f"{banner}: {', '.join(concerned)}"
        for banner, concerned in names_by_banner.items()
    )


def describe_denominator(group: Group) -> str:
    """The probes or searches that the headline figures are over, in words."""
    if not group.first.searched or not in_parts(run.probes for run in group.runs):
        return "all probes"
    return f"all searches with a mate in {head_words(group.first.probes) or 'the gallery'}"
