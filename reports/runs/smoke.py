"""Checks that smoke runs are compared only with each other and on the same probes."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence

from bench.errors import UsageError
from reports.runs.run import Run
from reports.text.numbers import plain

_LIMITED_ARRAYS = ("same", "fold", "person")


def refuse_unlike_limits(runs: Sequence[Run]) -> None:
    """Refuse smoke runs that were not measured on the same probes.

    The probes are compared by the digest of the images, the keys of the rows and, for pairs, their labels and folds;
    equal values of ``limit`` are not enough.

    Raises:
        UsageError: a smoke run together with a full run, with one of another limit, or with one of the same protocol
            on other probes.
    """
    smoke = [run for run in runs if run.record.smoke]
    if not smoke or len(runs) < 2:
        return
    if len(smoke) < len(runs):
        raise UsageError(
            "Smoke runs measure only some of the probes and are no results, so they are not compared with full runs: "
            f"{', '.join(plain(run.folder) for run in smoke)}. Leave them out, or give only smoke runs of one limit."
        )
    first = smoke[0]
    for run in smoke[1:]:
        if _limits(run) != _limits(first):
            raise UsageError(
                f"Smoke runs with different limits have different probes, so they are not compared: "
                f"{plain(first.folder)} has {_limits(first)}, {plain(run.folder)} has {_limits(run)}. Run one again "
                "with the limit of the other."
            )
    known: dict[str, tuple[Run, Hashable]] = {}
    for run in smoke:
        one, probes = known.setdefault(_rules(run), (run, _probes(run)))
        if probes != _probes(run):
            raise UsageError(
                f"Smoke runs with equal limits, but not on the same probes, so they are not compared: "
                f"{plain(one.folder)} and {plain(run.folder)} differ in the digest of their images or in the keys of "
                "their rows. Run both again on the same data."
            )


def _limits(run: Run) -> str:
    limits = (("--limit", run.record.limit), ("--limit-gallery", run.record.limit_gallery))
    return " ".join(f"{flag} {value}" for flag, value in limits if value is not None) or "no limit on record"


def _rules(run: Run) -> str:
    """The protocol with its arguments, and the data set by name."""
    rules = run.record.protocol
    return json.dumps([rules.get("name"), rules.get("arguments"), run.record.data.get("name")], sort_keys=True)


def _probes(run: Run) -> Hashable:
    """Identifies the probes: digest of all images, keys of rows, labels of pairs."""
    rows = tuple(sorted((row.key, row.gallery) for row in run.probes))
    items = tuple(sorted(item.key for item in run.items))
    pairs = tuple(bytes(memoryview(run.arrays[name])) for name in _LIMITED_ARRAYS if name in run.arrays)
    return run.record.data["digest"], rows, items, pairs
