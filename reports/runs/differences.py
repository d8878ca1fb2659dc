"""In what two runs differ: configuration, stages with weights and versions, code, machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.results import StageRecord
from reports.runs.run import Run
from reports.text.numbers import arguments

PLACES = ("data_root", "out", "cache", "manifest")
"""Entries of a configuration that are places on a machine; no report shows them."""
_INDIFFERENT = (*PLACES, "overwrite", "no_cache", "images", "protocol", "hallucinator", "limit", "limit_gallery")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same in two runs.

    Attributes:
        what: it is, in words.
        first: in the first run, as text; ``none`` where it has none.
        second: in the second.
    """

    what: str
    first: str
    second: str


def settings(first: Run, second: Run) -> list[Difference]:
    """All that differs between two runs besides their figures, the hallucinator first.

    A configuration digest covers names, arguments and weights of components; of runs that do not record their code,
    also that code. Code that differs is named by its modules.
    """
    one, other = _decisive(first), _decisive(second)
    found = list(_unequal(one, other))
    digests = (first.record.config_digest, second.record.config_digest)
    if digests[0] != digests[1]:
        what = "configuration digest"
        if not found and not (first.record.code and second.record.code):
            what += " (names, versions, arguments and weights are equal, so the source code of a component is not)"
        found.append(Difference(what, *digests))
    if first.record.code and second.record.code:
        codes = [{name: _text(digest) for name, digest in run.record.code.items()} for run in (first, second)]
        found += [replace(each, what=f"code of {each.what}") for each in _unequal(*codes)]
    return [*found, *_unequal(_machine(first), _machine(second))]


def _decisive(run: Run) -> dict[str, str]:
    found = {"hallucinator": run.record.label, "recogniser": run.recogniser or _NONE}
    found |= {"alignment": run.aligner or _NONE, "hallucinated side": run.side or _NONE}
    skipped = (*_INDIFFERENT, "recogniser", "align", "align_gallery", "hallucinate", "device", "threads", "batch_size")
    found |= {key.replace("_", "-"): _text(value) for key, value in run.record.config.items() if key not in skipped}
    found["seed"] = str(run.record.seed)
    for side in ("probe", "gallery"):
        for stage in ("hallucinate", "align", "embed"):
            own = [s for s in run.stages if (s.stage, s.side) == (stage, side)]
            if own:
                found[f"stage {stage} ({side})"] = " + ".join(map(_stage, own))
    found["version of the suite"] = run.record.bench_version
    return found


def _machine(run: Run) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in run.record.environment.items():
        if key == "packages" and isinstance(value, Mapping):
            found |= {f"package {name}": _text(version) for name, version in value.items()}
        elif key != "bench":
            found["uncommitted changes" if key == "dirty" else key.replace("_", " ")] = _text(value)
    for stage in run.stages:
        if stage.execution:
            found[f"stage {stage.stage} ({stage.side}) computed with"] = arguments(stage.execution)
    size = run.record.config.get("batch_size")
    return found if size is None else {**found, "batch size": _text(size)}


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
