"""Where a data set lies: the flag, the settings, the environment, in that order."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bench.config import get_setting
from bench.errors import BenchError, DataError, MissingError
from bench.interfaces import EvalProtocol


def find_data(protocol: EvalProtocol, given: Path | None) -> Path:
    """The located root of a protocol's data set.

    Looks at ``given``; else at the setting ``data.NAME``; else in ``BENCH_DATA``: that folder itself, the folder
    ``NAME`` in it, or the one folder in it that holds the data set.

    Raises:
        MissingError: there is no data set, with how to get one.
        DataError: what is there is no data set of this kind, or several could be meant.
    """
    name = protocol.dataset
    if given is not None:
        return protocol.locate(given)
    setting = get_setting(f"data.{name}")
    if setting:
        return protocol.locate(Path(setting))
    base = os.environ.get("BENCH_DATA")
    if not base:
        raise MissingError(f"No data for {name}.\n{protocol.how_to_get}")
    folder = Path(base)
    if not folder.is_dir():
        raise MissingError(f"BENCH_DATA is {base!r}, which is no folder.\n{protocol.how_to_get}")
    candidates = [_located(protocol, path) for path in (folder, *folder.iterdir())]
    found = sorted({path.resolve() for path in candidates if path})
    if len(found) > 1:
        listed = ", ".join(map(str, found))
        raise DataError(
            f"BENCH_DATA holds {len(found)} folders that could be {name}: {listed}. Name one by --data-root."
        )
    if not found:
        raise MissingError(f"BENCH_DATA is {base!r}, but no {name} is in it.\n{protocol.how_to_get}")
    return found[0]


def find_or_draw(protocol: EvalProtocol, given: Path | None, samples: Path) -> Path:
    """The data set where the user has one, else its sample of drawn people, written once.

    Args:
        protocol: whose data.
        given: the user's root, or None.
        samples: folder that keeps samples.

    Raises:
        MissingError: there is no data set and the protocol has no sample; or a root the user gave is absent.
        DataError: see `find_data`.
    """
    if given is not None or get_setting(f"data.{protocol.dataset}") or os.environ.get("BENCH_DATA"):
        return find_data(protocol, given)
    return draw_once(protocol, samples)


def draw_once(protocol: EvalProtocol, samples: Path) -> Path:
    """The protocol's sample of drawn people in a folder that keeps samples; raises MissingError when it has none."""
    out = samples / f"{protocol.dataset}-{protocol.sample_version()}"
    if not out.is_dir():
        note = protocol.sample_note()
        if note:
            print(f"{note} Folder: {out}", file=sys.stderr, flush=True)
        protocol.write_sample(out)
    return protocol.locate(out)


def _located(protocol: EvalProtocol, folder: Path) -> Path | None:
    try:
        return protocol.locate(folder) if folder.is_dir() else None
    except BenchError:
        return None
