"""Whether the finished run in a folder is the requested one: by configuration, by data, by code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path

from bench import progress
from bench.config import RunConfig
from bench.errors import BenchError, DataError, MissingError
from bench.evaluation import UNRECOGNISED, kind_of
from bench.evaluation.contract import Prepared
from bench.execution.record import stage_records
from bench.pipeline.plan import ABSENT
from bench.pipeline.reader import read_source
from bench.provenance import data_digest, files_digest
from bench.results import RunRecord
from bench.results.folder import read_record
from bench.types import Media

WITHOUT_EFFECT = ("out", "cache", "no_cache", "overwrite", "threads", "batch_size", "trust_times", "label")
"""Keys of a configuration that change no figure."""
_MAX_NAMED = 3  # modules named in a sentence; the rest are counted
_NEW_FOLDER = "Choose another --out, or --overwrite always."


def outdated(run: Prepared) -> str | None:
    """Why the run in a folder that is not empty must be computed again; None where it is finished and valid.

    A run of the same configuration on the same data that was computed by other code is computed again; its
    ``run.json`` stays.

    Raises:
        BenchError: the folder holds something else, which must not be lost.
    """
    if run.config.overwrite == "never":
        raise BenchError(f"{run.out} exists and --overwrite is never. Choose another --out.")
    try:
        record = read_record(run.out)
    except MissingError:
        raise BenchError(f"{run.out} exists and is no run folder. Choose another --out.") from None
    differences = _differences(record, run)
    if differences:
        raise BenchError(
            f"{run.out} holds a run of another configuration ({record.label}, {record.created}): "
            f"{'; '.join(differences[:_MAX_NAMED])}. {_NEW_FOLDER}"
        )
    changed = changed_modules(record.code, run.code)
    _refuse_other_data(record, run, changed)
    return None if not changed else f"Made again: code that computes it has changed since {record.created} ({changed})."


def changed_modules(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """The modules that differ, in words; empty where none does."""
    if not before:
        return "it was made by a version that did not record its code"
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return f"{', '.join(names[:_MAX_NAMED])}{more}" if names else ""


def _differences(record: RunRecord, run: Prepared) -> list[str]:
    """How the configuration of a finished run differs from the requested one; empty where it does not."""
    if record.code and record.config_digest == run.request_digest:
        return []
    config = replace(run.config, hallucinate=run.arrangement.side)  # records hold the side that was chosen
    requested = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(config).items()}
    defaults = {field.name: field.default for field in fields(RunConfig)}
    differing = []
    for key, value in requested.items():
        recorded = record.config.get(key, defaults[key])
        if key not in (*WITHOUT_EFFECT, "data_root", "manifest") and recorded != value:
            differing.append(f"{key.replace('_', '-')} was {recorded}, {value} is requested")
    recorded_files = {name for stage in record.stages for name in _weights(stage.side, stage.name, stage.weights)}
    stages = stage_records(
        {"probe": run.probe_plan, "gallery": run.gallery_plan}, embeds=kind_of(run.data) not in UNRECOGNISED
    )
    files = {name for stage in stages for name in _weights(stage.side, stage.name, stage.weights)}
    names = sorted({name for *_, name, _ in recorded_files ^ files})
    differing += [f"the weights {name} are others" for name in names]
    if record.code and not differing:
        differing.append("files that its arguments name, or defaults, are others")
    return differing


def _weights(side: str, component: str, weights: tuple[Mapping[str, str], ...]) -> list[tuple[str, str, str, str]]:
    return [(side, component, str(file.get("name")), str(file.get("sha256"))) for file in weights]


def _refuse_other_data(record: RunRecord, run: Prepared, changed: str) -> None:
    """Raise BenchError where the files are not those of the finished run."""
    data = record.data
    if run.config.trust_times or not record.code:
        if data.get("stat_digest") == run.stat_digest:
            return
    digested = _digested(run)
    if data.get("digest") == data_digest(digested):
        return
    if not changed:
        raise BenchError(f"{run.out} holds a run on data that have changed since ({record.created}). {_NEW_FOLDER}")
    if data.get("files_digest") != files_digest(digested):
        raise BenchError(
            f"{run.out} holds a run of {record.created}, since when both the code that computes it ({changed}) and the "
            f"files that it reads have changed. {_NEW_FOLDER}"
        )


def _digested(run: Prepared) -> list[tuple[Media, str]]:
    """Every media with the digest of its file's bytes, as in `bench.pipeline.plan.Embedded`."""
    media = [item for items in run.media.values() for item in items]
    digests: dict[tuple[Path, bool], str] = {}
    digested = []
    with progress.stage("look for changes in the data", len(media)) as advance:
        for item in media:
            place = (item.path, item.cut is not None and item.cut.frame is not None)
            if place not in digests:
                try:
                    digests[place] = read_source(item).digest
                except DataError:
                    digests[place] = ABSENT
            digested.append((item, digests[place]))
            advance(1)
    return digested
