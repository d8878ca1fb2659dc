"""Groups comparable runs, gives them distinct names and chooses the baseline of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.errors import UsageError
from bench.results.kinds import EFFICIENCY
from reports.runs.figure_names import headlines, in_order
from reports.runs.run import Run
from reports.runs.strongest import STRONGEST, strongest_rows
from reports.text.numbers import GAP, arguments

DEFAULT_BASELINE = "none"
_STAGES = (
    ("embed", "probe", "recogniser"),
    ("align", "probe", "alignment of probes"),
    ("align", "gallery", "alignment of the gallery"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Runs of one protocol on the same data: their figures may be compared.

    Attributes:
        number: 1-based place in the report.
        runs: in the order given.
        names: a distinct name for each run.
        baselines: for each run the index of its baseline; a baseline is its own baseline.
    """

    number: int
    runs: tuple[Run, ...]
    names: tuple[str, ...]
    baselines: tuple[int, ...]

    @property
    def first(self) -> Run:
        """The first run; protocol and data are the same for all."""
        return self.runs[0]

    @property
    def protocol(self) -> str:
        """The protocol with its arguments."""
        name, values = str(self.first.record.protocol["name"]), self.first.record.protocol.get("arguments", {})
        return f"{name}:{arguments(values).replace(', ', ',')}" if values else name

    @property
    def dataset(self) -> str:
        """Name of the data set, or a dash."""
        return str(self.first.record.data.get("name") or GAP)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of all figures of the group: rank-k by k, then the others as runs store them."""
        return in_order(run.record.metrics for run in self.runs)

    @property
    def headlines(self) -> tuple[str, ...]:
        """The figures of the whole; the others are of parts (a yaw, a gallery, a class)."""
        return headlines(self.metrics)[0]

    @property
    def kind(self) -> str:
        """The kind of the runs: identification, verification..."""
        return self.first.kind


def make_groups(runs: Sequence[Run], baseline: str | None) -> list[Group]:
    """Separate runs by protocol and data.

    Args:
        runs: at least one.
        baseline: label, name in the report or folder name of the runs to compare with; None takes the label ``none``.
            Of several, the first with the same recogniser and alignment is used; of none, the first run of the group.
            ``strongest`` takes for each recogniser the strongest run labelled ``none``, whatever its alignment; a run
            without one is its own baseline.

    Raises:
        UsageError: no run is called ``baseline``.
    """
    parts: dict[str, list[Run]] = {}
    for run in runs:
        parts.setdefault(json.dumps(comparable(run), sort_keys=True), []).append(run)
    wanted = baseline if baseline is not None and baseline != STRONGEST else DEFAULT_BASELINE
    groups = []
    known = False
    for number, members in enumerate(parts.values(), 1):
        names = distinct_names(members)
        fitting = [
            i
            for i, run in enumerate(members)
            if wanted == run.record.label or (baseline is not None and wanted in (names[i], run.folder_name))
        ]
        known = known or bool(fitting)
        baselines = _strongest(members) if baseline == STRONGEST else _baselines(members, fitting)
        groups.append(Group(number, tuple(members), names, baselines))
    if baseline == STRONGEST and not known:
        raise UsageError("--baseline strongest needs a run of the LR face (hallucinator none), and there is none.")
    if baseline is not None and not known:
        have = ", ".join(name for group in groups for name in group.names)
        raise UsageError(f"No run is called {baseline!r}, so it cannot be the baseline. The runs: {have}.")
    return groups


def short_names(groups: Sequence[Group]) -> list[str]:
    """A distinct name for each group: its protocol, with the arguments in which groups of that protocol differ."""
    names = []
    for group in groups:
        same_protocol = [other for other in groups if _rule(other, "name") == _rule(group, "name")]
        values, others = _rule(group, "arguments"), [_rule(other, "arguments") for other in same_protocol]
        distinct = {key: value for key, value in values.items() if any(other.get(key) != value for other in others)}
        name = str(_rule(group, "name"))
        names.append(f"{name}:{arguments(distinct).replace(', ', ',')}" if distinct else name)
    repeated = {name for name, number in Counter(names).items() if number > 1}
    return [f"{name} ({group.number})" if name in repeated else name for name, group in zip(names, groups, strict=True)]


def _rule(group: Group, key: str) -> Any:
    return group.first.record.protocol.get(key, {})


def differences(run: Run, baseline: Run) -> tuple[str, ...]:
    """What differs between two runs besides the hallucinator, in words."""
    differing = [
        word for stage, side, word in _STAGES if _stage_key(run, stage, side) != _stage_key(baseline, stage, side)
    ]
    if DEFAULT_BASELINE not in (run.record.label, baseline.record.label) and run.side != baseline.side:
        differing.append("hallucinated side")
    if run.record.bench_version != baseline.record.bench_version:
        differing.append("version of the suite")
    return tuple(differing)


def comparable(run: Run) -> dict[str, object]:
    """What must be equal in two runs for their figures to be comparable: rules of the protocol and data, by name."""
    data, rules = run.record.data, dict(run.record.protocol)
    if run.kind == EFFICIENCY:  # measured, not rules
        rules = {key: value for key, value in rules.items() if key not in ("parameters", "memory")}
    return {
        **{f"protocol {key}": value for key, value in rules.items()},
        "data digest": data["digest"],
        "data set": data.get("name"),
        "sample data": run.record.sample,
    }


def measurement(run: Run) -> list[str]:
    """Recogniser and alignments with versions, arguments and weights, to compare how two runs were measured."""
    return [_stage_key(run, stage, side) for stage, side, _ in _STAGES]


def _stage_key(run: Run, stage: str, side: str) -> str:
    record = run.stage(stage, side)
    if record is None:
        return ""
    weights = [dict(file) for file in record.weights]
    return json.dumps([record.name, record.version, dict(record.arguments), weights], sort_keys=True)


def _baselines(runs: Sequence[Run], fitting: Sequence[int]) -> tuple[int, ...]:
    """The first fitting run with the same recogniser and alignment, else the first fitting one, else the first run."""
    measurements = [measurement(run) for run in runs]
    main = fitting[0] if fitting else 0
    return tuple(
        main if index in fitting else next((i for i in fitting if measurements[i] == measurements[index]), main)
        for index in range(len(runs))
    )


def _strongest(runs: Sequence[Run]) -> tuple[int, ...]:
    return tuple(index if at is None else at for index, at in strongest_rows(runs).items())


def distinct_names(runs: Sequence[Run]) -> tuple[str, ...]:
    """The names of the runs; equal names are followed by what differs."""
    facets: tuple[Callable[[Run], str], ...] = (
        lambda run: run.recogniser,
        lambda run: f"aligned: {run.aligner}",
        lambda run: f"hallucinated: {run.side}",
        lambda run: f"version {run.record.bench_version}",
        lambda run: run.folder_name,
    )
    names = [run.name for run in runs]
    for facet in facets:
        shared = {name for name, number in Counter(names).items() if number > 1}
        for name in shared:
            places = [i for i, other in enumerate(names) if other == name]
            if len({facet(runs[i]) for i in places}) > 1:
                for i in places:
                    names[i] = f"{name} · {facet(runs[i])}"
    repeated = {name for name, number in Counter(names).items() if number > 1}
    return tuple(f"{name} · run {i}" if name in repeated else name for i, name in enumerate(names, 1))
