"""Facts about the disk: weight files, data sets, the cache, free space."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.config import RunConfig, cache_folder, get_setting, settings_file
from bench.errors import BenchError, MissingError, one_line
from bench.execution.data import find_data
from bench.installation.facts import Fact, examined, format_size
from bench.interfaces import ALIGNERS, HALLUCINATORS, PROTOCOLS, RECOGNISERS, EvalProtocol
from bench.pipeline.build import build
from bench.registry import Entry, Spec

_LITTLE = 2 * 2**30  # free bytes on the disk of runs or of the cache
_COUNTED = 200_000  # files of a cache that are counted
_RUNS = Path("runs")


def storage_facts() -> list[Fact]:
    """The settings, the cache with its size, and the free space on the disks of cache and runs."""
    return [
        *examined("storage", "settings", _settings),
        *examined("storage", "cache", _cache),
        *examined("storage", "runs", _runs),
    ]


def weight_facts() -> list[Fact]:
    """Weight files of each component that can run, and the reason why others cannot."""
    facts = []
    for registry in (HALLUCINATORS, RECOGNISERS, ALIGNERS):
        for entry in registry:
            facts += examined("weights", f"{entry.kind} {entry.name}", lambda entry=entry: _weights(entry))  # type: ignore[misc]
    return facts


def data_facts() -> list[Fact]:
    """Each data set: its folder, and whether it is the published one if listing its files is enough to know."""
    base = os.environ.get("BENCH_DATA")
    facts = [Fact("data", "BENCH_DATA", base or "not set")]
    if base and not Path(base).is_dir():
        facts = [Fact("data", "BENCH_DATA", f"{base} is not a folder", "note", "Set it to a folder with data sets.")]
    examined_datasets = set()
    for entry in PROTOCOLS:
        if entry.missing() is not None or any(argument.required for argument in entry.arguments()):
            continue
        protocol = build(PROTOCOLS, Spec(entry.name)).component
        if protocol.dataset in examined_datasets:
            continue
        examined_datasets.add(protocol.dataset)
        facts += examined("data", protocol.dataset, lambda p=protocol, e=entry: _data(p, e.name))  # type: ignore[misc]
    return facts


def _settings() -> list[Fact]:
    path = settings_file()
    return [Fact("storage", "settings", f"{path}{'' if path.is_file() else ' (none yet)'}")]


def _cache() -> list[Fact]:
    folder = cache_folder(RunConfig(protocol=""))
    size, complete = _size_of(folder)
    free = _free_bytes(folder)
    summary = f"{folder}, {'' if complete else 'more than '}{format_size(size)} used{_free_space(free)}"
    reason = _unwritable(folder)
    if reason:
        hint = "Set BENCH_CACHE to a writable folder, or give --cache DIR or --no-cache."
        return [Fact("storage", "cache", f"{summary}, cannot be written ({reason})", "problem", hint)]
    if free is not None and free < _LITTLE:
        return [
            Fact("storage", "cache", summary, "note", "Little space is free: delete the cache, or set BENCH_CACHE.")
        ]
    return [Fact("storage", "cache", f"{summary}, can be written")]


def _runs() -> list[Fact]:
    folder = _RUNS.absolute()
    free, reason = _free_bytes(folder), _unwritable(folder)
    summary = f"{folder}{_free_space(free)}"
    if reason:
        return [
            Fact("storage", "runs", f"{summary}, cannot be written ({reason})", "note", "Give --out DIR to bench run.")
        ]
    if free is not None and free < _LITTLE:
        return [Fact("storage", "runs", summary, "note", "Little space is free: give --out DIR on another disk.")]
    return [Fact("storage", "runs", summary)]


def _weights(entry: Entry[Any]) -> list[Fact]:
    name = f"{entry.kind} {entry.name}"
    why = entry.missing()
    if why is not None:
        return [Fact("weights", name, _first_line(why), "note")]
    required = [argument.name for argument in entry.arguments() if argument.required]
    if required:
        return [Fact("weights", name, f"of the user: {', '.join(f'{r}=...' for r in required)}")]
    try:
        component = entry.create()
    except MissingError as error:
        return [Fact("weights", name, _first_line(str(error)), "note")]
    files = [(weights.name, weights.path) for weights in component.weights]
    if not files:
        return []
    sizes = [f"{file} {format_size(path.stat().st_size)}" if path else file for file, path in files]
    folders = dict.fromkeys(str(path.parent) for _, path in files if path)
    return [Fact("weights", name, f"{', '.join(sizes)} in {', '.join(folders) or 'an unknown folder'}")]


def _data(protocol: EvalProtocol, name: str) -> list[Fact]:
    dataset = protocol.dataset
    setting = get_setting(f"data.{dataset}")
    try:
        root = find_data(protocol, None)
    except MissingError as error:
        if setting:
            hint = f"bench config set data.{dataset} DIR"
            return [Fact("data", dataset, f"data.{dataset} is {setting}: {_first_line(str(error))}", "note", hint)]
        if os.environ.get("BENCH_DATA"):
            return [Fact("data", dataset, "not in BENCH_DATA")]
        drawn = type(protocol).write_sample is not EvalProtocol.write_sample
        return [Fact("data", dataset, f"not configured{': runs use its drawn sample' if drawn else ''}")]
    except BenchError as error:
        return [Fact("data", dataset, _first_line(str(error)), "note", f"bench data check {name}")]
    if root.is_file():
        return []  # the protocol draws its data: there is nothing to configure
    whence = f"data.{dataset}" if setting else "BENCH_DATA"
    return [Fact("data", dataset, f"{root} (from {whence}): {_official(protocol, name, root)}")]


def _official(protocol: EvalProtocol, name: str, root: Path) -> str:
    """Whether data are the published set, if reading them only lists their files."""
    if protocol.is_sample(root):
        return "a drawn sample"
    if type(protocol).read_with is not EvalProtocol.read_with:
        return f"`bench data check {name}` checks whether it is the published set"
    try:
        official = protocol.read(root).official
    except BenchError as error:
        return f"unusable: {_first_line(str(error))}"
    if official is None:
        return "no set is published to compare with"
    return "the published set by its counts" if official else "not the published set"


def _first_line(text: str) -> str:
    return one_line(text.splitlines()[0]) if text.strip() else ""


def _size_of(folder: Path) -> tuple[int, bool]:
    """Bytes in a folder, and whether all of its files were counted."""
    total = 0
    for counted, size in enumerate(_sizes(folder)):
        if counted >= _COUNTED:
            return total, False
        total += size
    return total, True


def _sizes(folder: Path) -> Iterator[int]:
    for parent, _, names in os.walk(folder, onerror=None):
        for name in names:
            try:
                yield os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # it was removed in the meantime
                continue


def _nearest(folder: Path) -> Path:
    """The folder itself, or its nearest existing parent."""
    return next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path(folder.anchor or "."))


def _free_bytes(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_nearest(folder)).free
    except OSError:
        return None


def _free_space(free: int | None) -> str:
    return "" if free is None else f", {format_size(free)} free on its disk"


def _unwritable(folder: Path) -> str:
    """Why the folder or a file in it cannot be created; empty if it can. No file remains."""
    existing = _nearest(folder)
    if not existing.is_dir():
        return f"{existing} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=existing):
            return ""
    except OSError as error:
        return error.strerror or type(error).__name__
