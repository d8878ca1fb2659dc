"""Run folders on disk: from `RunResult` to a run folder and back.

A run folder holds

- ``run.json``: the record (`RunRecord`) and its seal (`bench.results.seal`), strict JSON, one schema version;
- ``per_probe.csv``: one row per probe (`ProbeRow`), enough to recompute every figure without a model;
- ``per_item.csv`` (runs that search no gallery): one row per item (`ItemRow`);
- ``arrays.npz`` (where needed): data too large for rows, read without pickle;
- ``ledger.csv``: one row for every image whose outcome is not ``ok``;
- ``run.replaced.json`` (optional): the record of the run that this one replaced;
- ``images.zip`` (optional): for probe row (or item) i the members ``lr/00000i.png``, ``out/00000i.png`` (absent when it
  equals the lr image), ``mate/00000i.png`` (best mated gallery image) and ``impostor/00000i.png`` (best non-mated one),
  or ``truth/00000i.png``.

The folder appears in one step, by a rename: under its final name it is always complete.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from bench.errors import BenchError, DataError, MissingError
from bench.io.atomic import explain_os_errors, replace_folder
from bench.io.printing import ESCAPED
from bench.io.strictfiles import MOST_ARRAYS, read_arrays, read_json, read_member, read_rows, shorten
from bench.results import (
    SCHEMA_VERSION,
    Figure,
    ItemRow,
    LedgerRow,
    ProbeRow,
    RoleLedger,
    RunRecord,
    RunResult,
    StageRecord,
)
from bench.results.kinds import VERIFICATION, recorded_kind
from bench.results.rows import item_from_cells, ledger_from_cells, probe_from_cells
from bench.results.seal import SEAL, describe_changes, make_seal

RUN_FILE, PROBES_FILE, LEDGER_FILE, IMAGES_FILE = "run.json", "per_probe.csv", "ledger.csv", "images.zip"
REPLACED_FILE = "run.replaced.json"
ITEMS_FILE, ARRAYS_FILE = "per_item.csv", "arrays.npz"
SEALED = (PROBES_FILE, ITEMS_FILE, LEDGER_FILE, ARRAYS_FILE)
RowT = TypeVar("RowT")
_SMALL, _BYTES_PER_PAIR = 1 << 20, 16  # bytes of arrays


def write_run(
    folder: Path,
    result: RunResult,
    *,
    images: Iterable[tuple[str, bytes]] | None = None,
    replace: bool = False,
) -> None:
    """Write a run folder in one step.

    Args:
        folder: its path; the parent is created when absent.
        result: what to write.
        images: members of ``images.zip`` as (name, PNG bytes), or None for no such file.
        replace: whether an existing run folder may be replaced.

    Raises:
        BenchError: the folder exists and may not be replaced or is not a run folder, or the disk is full. ``folder``
            is then unchanged.
    """
    if folder.exists() and any(folder.iterdir()) and not (replace and (folder / RUN_FILE).is_file()):
        obstacle = "a finished run exists there" if (folder / RUN_FILE).is_file() else "it holds other files"
        raise BenchError(f"Cannot write the run to {folder}: {obstacle}. Choose another --out, or --overwrite always.")
    advice = (
        "Nothing was changed there; the embeddings computed so far are in the cache, so the same command continues "
        "from them after disk space is freed."
    )
    with explain_os_errors(f"Cannot write the run to {folder}", advice), replace_folder(folder) as partial:
        _write_files(partial, result, images)
        if (folder / RUN_FILE).is_file():
            shutil.copyfile(folder / RUN_FILE, partial / REPLACED_FILE)


def read_run(folder: Path) -> RunResult:
    """Read a run folder.

    Raises:
        MissingError: there is no run folder.
        DataError: it is damaged or of another schema version; the text names the file.
    """
    record = read_record(folder)
    items, arrays = folder / ITEMS_FILE, folder / ARRAYS_FILE
    item_rows = _read_csv(items, item_from_cells) if _exists(items) else ()
    return RunResult(
        record,
        _read_csv(folder / PROBES_FILE, probe_from_cells),
        _read_csv(folder / LEDGER_FILE, ledger_from_cells),
        item_rows,
        read_arrays(arrays, _largest_size(record, item_rows)) if _exists(arrays) else {},
    )


def read_record(folder: Path) -> RunRecord:
    """Read ``run.json`` alone; see `read_run` for what is raised."""
    path = folder / RUN_FILE
    if not _exists(path):
        raise MissingError(f"No run in {folder}: {RUN_FILE} is missing. Give the folder of `bench run --out`.")
    raw = read_json(path)
    try:
        version = raw["schema_version"]
        if version != SCHEMA_VERSION:
            raise DataError(
                f"{path} has schema version {shorten(version)}; this bench reads version {SCHEMA_VERSION}. Run it "
                f"again, or use the bench that wrote it ({shorten(raw.get('bench_version', 'unknown'))})."
            )
        return record_from_json(raw)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is damaged ({type(error).__name__}: {shorten(error)}). Run it again.") from error


def changes_since_run(folder: Path) -> str:
    """Description of changes to a run folder after its run; empty if there are none. See `bench.results.seal`."""
    raw = dict(read_json(folder / RUN_FILE))
    seal = raw.pop(SEAL, None)
    return describe_changes(raw, seal, folder, SEALED)


def read_image(folder: Path, member: str) -> bytes | None:
    """PNG bytes of one member of ``images.zip``, or None if the run has no such image."""
    path = folder / IMAGES_FILE
    if not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return read_member(archive, member)
    except (zipfile.BadZipFile, OSError, ValueError, DataError) as error:
        raise DataError(
            f"{path} is damaged ({error}). Run it again, or delete the file to continue without images."
        ) from error


def dump_json(value: object) -> str:
    """Strict, indented JSON with a final newline; keys keep their order."""
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    return text.encode("utf-8", ESCAPED).decode("utf-8")


def _exists(path: Path) -> bool:
    """Whether the path exists in any form; reading then reports a pipe or a broken link."""
    return os.path.lexists(path)


def _write_files(folder: Path, result: RunResult, images: Iterable[tuple[str, bytes]] | None) -> None:
    _write_csv(folder / PROBES_FILE, ProbeRow, result.probes)
    _write_csv(folder / LEDGER_FILE, LedgerRow, result.ledger)
    if result.items:
        _write_csv(folder / ITEMS_FILE, ItemRow, result.items)
    if result.arrays:
        import numpy as np

        np.savez_compressed(folder / ARRAYS_FILE, allow_pickle=False, **result.arrays)
    record = asdict(result.record)
    sealed = {**record, SEAL: make_seal(record, folder, SEALED)}
    (folder / RUN_FILE).write_text(dump_json(sealed), encoding="utf-8")
    if images is not None:
        with zipfile.ZipFile(folder / IMAGES_FILE, "w", zipfile.ZIP_STORED) as archive:
            for name, data in images:
                archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)


def _write_csv(path: Path, row_type: type[Any], rows: Sequence[ProbeRow | LedgerRow | ItemRow]) -> None:
    names = [f.name for f in fields(row_type)]
    with path.open("w", newline="", encoding="utf-8", errors=ESCAPED) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_to_cell(getattr(row, name)) for name in names] for row in rows)


def _to_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(map(str, value))
    if isinstance(value, Mapping):
        return json.dumps(dict(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return repr(value) if isinstance(value, float) else str(value)


def _read_csv(path: Path, make: Callable[[dict[str, str]], RowT]) -> tuple[RowT, ...]:
    rows = []
    for number, cells in enumerate(read_rows(path), 1):
        try:
            rows.append(make(cells))
        except (KeyError, ValueError) as error:
            raise DataError(
                f"{path} is damaged (row {number}: {type(error).__name__}: {shorten(error)}). Run it again."
            ) from error
    return tuple(rows)


def _largest_size(record: RunRecord, items: Sequence[ItemRow]) -> int:
    """Largest unpacked size of a run's arrays: 16 bytes per pair, or a few small tables."""
    if recorded_kind(record.protocol) != VERIFICATION:
        return _SMALL
    pairs = sum(n for item in items if isinstance(n := item.values.get("pairs"), int | float) and n > 0)
    return int(min(MOST_ARRAYS, _BYTES_PER_PAIR * pairs + _SMALL))


def record_from_json(raw: Mapping[str, Any]) -> RunRecord:
    """The record of a parsed ``run.json``.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: ``raw`` is not such a record.
    """
    raw = {key: value for key, value in raw.items() if key != SEAL}
    raw["stages"] = tuple(StageRecord(**{**s, "weights": tuple(s["weights"])}) for s in raw["stages"])
    raw["metrics"] = {name: Figure(**figure) for name, figure in raw["metrics"].items()}
    raw["ledger"] = {role: RoleLedger(**counts) for role, counts in raw["ledger"].items()}
    raw["warnings"] = tuple(raw["warnings"])
    raw["code"] = {str(name): str(digest) for name, digest in dict(raw.get("code", {})).items()}
    return RunRecord(**raw)
