"""The seal of a run folder: a digest of ``run.json`` and of the files beside it, to detect later changes.

It is not a signature: anybody can write one with this code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.io.file_digests import digest_of, file_digest
from bench.io.strictfiles import MOST_ARRAYS, MOST_CSV, check_file

SEAL = "seal"
FREE = ("label", "created")
"""Entries of ``run.json`` that may be changed: the displayed name and the time."""
_PLACES = ("data_root", "out", "cache", "manifest")


def make_seal(record: Mapping[str, Any], folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """The seal of a record and of the named files that exist.

    Args:
        record: content of ``run.json`` without a seal.
        folder: of the run.
        names: of the files beside ``run.json`` from which figures are computed.
    """
    files = {name: file_digest(folder / name) for name in names if (folder / name).is_file()}
    return {"files": files, "sha256": _digest(record, files)}


def describe_changes(record: Mapping[str, Any], seal: object, folder: Path, names: tuple[str, ...]) -> str:
    """Description of the first change that the seal shows; empty if there is none.

    Args:
        record: content of ``run.json`` without its seal.
        seal: its entry ``seal``, or None.
        folder: of the run.
        names: as for `make_seal`.
    """
    if not isinstance(seal, Mapping) or not isinstance(seal.get("files"), Mapping):
        return "run.json has no seal: it was changed, or written by an older version"
    for name in names:
        path = folder / name
        if path.is_file():
            check_file(path, max(MOST_CSV, MOST_ARRAYS) + (1 << 20))
        if (file_digest(path) if path.is_file() else None) != seal["files"].get(name):
            return f"{name} was changed after the run"
    if seal.get("sha256") != _digest(record, seal["files"]):
        return "run.json was changed after the run"
    return ""


def _digest(record: Mapping[str, Any], files: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(record))  # tuples as lists
    plain = {key: value for key, value in plain.items() if key not in (*FREE, SEAL)}
    for table, places in (("config", _PLACES), ("data", ("root",))):
        if isinstance(plain.get(table), dict):
            plain[table] = {key: value for key, value in plain[table].items() if key not in places}
    return digest_of([plain, dict(files)])
