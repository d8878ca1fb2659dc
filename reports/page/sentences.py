"""What is said of the figures of several runs: banners, what they are over, which runs are below the LR face."""

from __future__ import annotations

from collections.abc import Sequence

from bench.diagnosis.below import below_lr_face, lr_run_of
from reports.runs.groups import Group
from reports.runs.run import Run
from reports.runs.searches import head_words, in_parts


def below(group: Group) -> dict[str, str]:
    """Sentences on runs that are worse than the LR face of the group beyond the interval, by the name of the run."""
    found = {}
    for name, run in zip(group.names, group.runs, strict=True):
        lr = lr_run_of(run, group.runs)
        sentence = below_lr_face(run, lr) if lr else None
        if sentence:
            found[name] = sentence
    return found


def banners(names: Sequence[str], runs: Sequence[Run]) -> tuple[str, ...]:
    """Each banner once, with the runs concerned where others stand beside them."""
    concerned: dict[str, list[str]] = {}
    for name, run in zip(names, runs, strict=True):
        for banner in run.banners:
            concerned.setdefault(banner, []).append(name)
    return tuple(
        banner if len(found) == len(runs) else f"{banner}: {', '.join(found)}" for banner, found in concerned.items()
    )


def over(group: Group) -> str:
    """The probes that figures of the whole are over."""
    if not group.first.searched or not in_parts(run.probes for run in group.runs):
        return "all probes"
    return f"all searches with a mate in {head_words(group.first.probes) or 'the gallery'}"
