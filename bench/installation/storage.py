"""What lies on disk: weight files, data sets, the cache, and how much room there is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.config import RunConfig, cache_folder, get_setting, settings_file
from bench.errors import BenchError, MissingError, one_line
from bench.installation.facts import Fact, guarded, in_words
from bench.interfaces import ALIGNERS, HALLUCINATORS, PROTOCOLS, RECOGNISERS, EvalProtocol
from bench.pipeline.build import build
from bench.registry import Entry, Spec
from bench.run.data import find_data

_LITTLE = 2 * 2**30  # bytes free on a disk that runs or the cache are written to
_COUNTED = 200_000  # files of a cache that are counted
_RUNS = Path("runs")


def storage_facts() -> list[Fact]:
    """The settings, the cache with its size, and the room on the disks of cache and runs."""
    return [
        *guarded("storage", "settings", _settings),
        *guarded("storage", "cache", _cache),
        *guarded("storage", "runs", _runs),
    ]


def weight_facts() -> list[Fact]:
    """Weight files of each component that runs as it is, and what the others lack."""
    found = []
    for registry in (HALLUCINATORS, RECOGNISERS, ALIGNERS):
        for entry in registry:
            found += guarded("weights", f"{entry.kind} {entry.name}", lambda entry=entry: _weights(entry))  # type: ignore[misc]
    return found


def data_facts() -> list[Fact]:
    """Each data set: where it is configured, and whether it is the published one where that costs only a listing."""
    base = os.environ.get("BENCH_DATA")
    found = [Fact("data", "BENCH_DATA", base or "not set")]
    if base and not Path(base).is_dir():
        found = [Fact("data", "BENCH_DATA", f"{base} is no folder", "note", "Name a folder that holds data sets.")]
    named = set()
    for entry in PROTOCOLS:
        if entry.missing() is not None or any(argument.required for argument in entry.arguments()):
            continue
        protocol = build(PROTOCOLS, Spec(entry.name)).component
        if protocol.dataset in named:
            continue
        named.add(protocol.dataset)
        found += guarded("data", protocol.dataset, lambda p=protocol, e=entry: _data(p, e.name))  # type: ignore[misc]
    return found


def _settings() -> list[Fact]:
    path = settings_file()
    return [Fact("storage", "settings", f"{path}{'' if path.is_file() else ' (none yet)'}")]


def _cache() -> list[Fact]:
    folder = cache_folder(RunConfig(protocol=""))
    size, whole = _size_of(folder)
    room = _room(folder)
    words = f"{folder}, {'' if whole else 'more than '}{in_words(size)} used{_free(room)}"
    why = _unwritable(folder)
    if why:
        hint = "Set BENCH_CACHE to a folder that can be written, or give --cache DIR or --no-cache."
        return [Fact("storage", "cache", f"{words}, cannot be written ({why})", "problem", hint)]
    if room is not None and room < _LITTLE:
        return [Fact("storage", "cache", words, "note", "Little room is left: delete the cache, or set BENCH_CACHE.")]
    return [Fact("storage", "cache", f"{words}, can be written")]


def _runs() -> list[Fact]:
    folder = _RUNS.absolute()
    room, why = _room(folder), _unwritable(folder)
    words = f"{folder}{_free(room)}"
    if why:
        return [Fact("storage", "runs", f"{words}, cannot be written ({why})", "note", "Give --out DIR to bench run.")]
    if room is not None and room < _LITTLE:
        return [Fact("storage", "runs", words, "note", "Little room is left: give --out DIR on another disk.")]
    return [Fact("storage", "runs", words)]


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
    sizes = [f"{file} {in_words(path.stat().st_size)}" if path else file for file, path in files]
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
        return []  # the protocol draws what it needs: there is nothing to configure
    whence = f"data.{dataset}" if setting else "BENCH_DATA"
    return [Fact("data", dataset, f"{root} (from {whence}): {_official(protocol, name, root)}")]


def _official(protocol: EvalProtocol, name: str, root: Path) -> str:
    """Whether data are the published set, where reading them is listing their files and no more."""
    if protocol.is_sample(root):
        return "a drawn sample"
    if type(protocol).read_with is not EvalProtocol.read_with:
        return f"`bench data check {name}` tells whether it is the published set"
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
            except OSError:  # it was removed meanwhile
                continue


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    return next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path(folder.anchor or "."))


def _room(folder: Path) -> int | None:
    try:
        return shutil.disk_usage(_nearest(folder)).free
    except OSError:
        return None


def _free(room: int | None) -> str:
    return "" if room is None else f", {in_words(room)} free on its disk"


def _unwritable(folder: Path) -> str:
    """Why no file can be made in a folder, or the folder itself; empty where it can. Nothing is left behind."""
    place = _nearest(folder)
    if not place.is_dir():
        return f"{place} is no folder"
    try:
        with tempfile.TemporaryFile(dir=place):
            return ""
    except OSError as error:
        return error.strerror or type(error).__name__
