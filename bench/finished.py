"""Whether the finished run in a folder is the one that is asked for: by configuration, by data, by code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path

from bench import progress
from bench.config import RunConfig
from bench.errors import BenchError, DataError, MissingError
from bench.kinds import UNRECOGNISED, kind_of
from bench.opening import read_source
from bench.plan import ABSENT
from bench.prepared import Prepared
from bench.provenance import data_digest, files_digest
from bench.record import stage_records
from bench.results import RunRecord
from bench.runfolder import read_record
from bench.types import Media

WITHOUT_EFFECT = ("out", "cache", "no_cache", "overwrite", "threads", "batch_size", "trust_times")
"""Keys of a configuration that change no figure."""
_SHOWN = 3  # modules named in a sentence; the rest are counted
_NEW_FOLDER = "Choose another --out, or --overwrite always."


def outdated(run: Prepared) -> str | None:
    """Why the run in the folder, which is not empty, is to be made again; None where it is finished and stands.

    A run of the same configuration on the same data that other code made is made again; its ``run.json`` is kept.

    Raises:
        BenchError: the folder holds something else than that run, which must not be lost.
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
            f"{'; '.join(differences[:_SHOWN])}. {_NEW_FOLDER}"
        )
    changed = changed_modules(record.code, run.code)
    _refuse_other_data(record, run, changed)
    return None if not changed else f"Made again: code that computes it has changed since {record.created} ({changed})."


def changed_modules(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which modules differ, in words; empty where none does."""
    if not before:
        return "it was made by a version that did not record its code"
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}" if names else ""


def _differences(record: RunRecord, run: Prepared) -> list[str]:
    """How the configuration of a finished run differs from what is asked; empty where it does not."""
    if record.code and record.config_digest == run.request_digest:
        return []
    asked_for = replace(run.config, hallucinate=run.arrangement.side)  # records hold the side that was taken
    asked = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(asked_for).items()}
    defaults = {field.name: field.default for field in fields(RunConfig)}
    found = []
    for key, value in asked.items():
        had = record.config.get(key, defaults[key])
        if key not in (*WITHOUT_EFFECT, "data_root", "manifest") and had != value:
            found.append(f"{key.replace('_', '-')} was {had}, {value} is asked for")
    there = {name for stage in record.stages for name in _weights(stage.side, stage.name, stage.weights)}
    now = stage_records(
        {"probe": run.probe_plan, "gallery": run.gallery_plan}, embeds=kind_of(run.data) not in UNRECOGNISED
    )
    here = {name for stage in now for name in _weights(stage.side, stage.name, stage.weights)}
    names = sorted({name for *_, name, _ in there ^ here})
    found += [f"the weights {name} are others" for name in names]
    if record.code and not found:
        found.append("files that its arguments name, or defaults, are others")
    return found


def _weights(side: str, component: str, weights: tuple[Mapping[str, str], ...]) -> list[tuple[str, str, str, str]]:
    return [(side, component, str(file.get("name")), str(file.get("sha256"))) for file in weights]


def _refuse_other_data(record: RunRecord, run: Prepared, changed: str) -> None:
    """Raise BenchError where the files are not those that the finished run was made on."""
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
    """Every media with the digest of its file's bytes, as embedding takes it."""
    media = [item for items in run.media.values() for item in items]
    known: dict[tuple[Path, bool], str] = {}
    found = []
    with progress.stage("look for changes in the data", len(media)) as advance:
        for item in media:
            place = (item.path, item.cut is not None and item.cut.frame is not None)
            if place not in known:
                try:
                    known[place] = read_source(item).digest
                except DataError:
                    known[place] = ABSENT
            found.append((item, known[place]))
            advance(1)
    return found
