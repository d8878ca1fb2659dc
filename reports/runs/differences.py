"""Differences between two runs: configuration, stages with weights and versions, code, machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.results import StageRecord
from reports.runs.run import Run
from reports.text.numbers import arguments

PLACES = ("data_root", "out", "cache", "manifest")
"""Entries of a configuration that are paths of a machine; reports do not show them."""
_OMITTED = (*PLACES, "overwrite", "no_cache", "images", "label", "protocol", "hallucinator", "limit", "limit_gallery")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two runs.

    Attributes:
        what: what differs.
        first: its value in the first run as text; ``none`` where it has none.
        second: its value in the second run.
    """

    what: str
    first: str
    second: str


def list_differences(first: Run, second: Run) -> list[Difference]:
    """All differences between two runs besides their figures, the hallucinator first.

    A configuration digest covers names, arguments and weights of components, and the code of runs that do not record
    their code separately. Different code is named by its modules.
    """
    differences = list(_unequal(_configuration(first), _configuration(second)))
    digests = (first.record.config_digest, second.record.config_digest)
    if digests[0] != digests[1]:
        what = "configuration digest"
        if not differences and not (first.record.code and second.record.code):
            what += " (names, versions, arguments and weights are equal, so the source code of a component is not)"
        differences.append(Difference(what, *digests))
    if first.record.code and second.record.code:
        codes = [{name: _text(digest) for name, digest in run.record.code.items()} for run in (first, second)]
        differences += [replace(each, what=f"code of {each.what}") for each in _unequal(*codes)]
    return [*differences, *_unequal(_machine(first), _machine(second))]


def _configuration(run: Run) -> dict[str, str]:
    values = {"hallucinator": run.record.label, "recogniser": run.recogniser or _NONE}
    values |= {"alignment": run.aligner or _NONE, "hallucinated side": run.side or _NONE}
    skipped = (*_OMITTED, "recogniser", "align", "align_gallery", "hallucinate", "device", "threads", "batch_size")
    values |= {key.replace("_", "-"): _text(value) for key, value in run.record.config.items() if key not in skipped}
    values["seed"] = str(run.record.seed)
    for side in ("probe", "gallery"):
        for stage in ("hallucinate", "align", "embed"):
            stages = [s for s in run.stages if (s.stage, s.side) == (stage, side)]
            if stages:
                values[f"stage {stage} ({side})"] = " + ".join(map(_stage, stages))
    values["version of the suite"] = run.record.bench_version
    return values


def _machine(run: Run) -> dict[str, str]:
    values: dict[str, str] = {}
    for key, value in run.record.environment.items():
        if key == "packages" and isinstance(value, Mapping):
            values |= {f"package {name}": _text(version) for name, version in value.items()}
        elif key != "bench":
            values["uncommitted changes" if key == "dirty" else key.replace("_", " ")] = _text(value)
    for stage in run.stages:
        if stage.execution:
            values[f"stage {stage.stage} ({stage.side}) computed with"] = arguments(stage.execution)
    size = run.record.config.get("batch_size")
    return values if size is None else {**values, "batch size": _text(size)}


def _stage(stage: StageRecord) -> str:
    weights = ", ".join(f"{file.get('name', '')} {str(file.get('sha256', ''))[:12]}" for file in stage.weights)
    parts = [f"{stage.name} version {stage.version}"]
    parts += [arguments(stage.arguments)] if stage.arguments else []
    return "; ".join([*parts, *([f"weights {weights}"] if weights else [])])


def _unequal(one: Mapping[str, str], other: Mapping[str, str]) -> Iterable[Difference]:
    for what in dict.fromkeys((*one, *other)):
        first, second = one.get(what, _NONE), other.get(what, _NONE)
        if first != second:
            yield Difference(what, first, second)


def _text(value: object) -> str:
    if value is None:
        return _NONE
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
