"""The sealed part of a pack: measured only on request; every access is recorded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.pairs.pack import Pack

LIST = "docs/evidence.md"
"""Where accesses are listed."""


def measured_faces(pack: Pack, *, sealed: bool = False) -> tuple[str, NDArray[np.int64]]:
    """The faces that methods are measured on, one of each group, and what they are in words.

    Args:
        pack: the photographs.
        sealed: take the sealed part. The caller records it by `record_access`.

    Returns:
        ``sealed``, ``tuning``, or ``left out`` for a pack without groups (validation and tuning); indices, int64 (N,).

    Raises:
        UsageError: a sealed part is requested and the pack has no groups.
    """
    if pack.groups is None:
        if sealed:
            raise UsageError("A pack split by file name has no sealed part. Pack the photographs again.")
        return "left out", pack.indices(test=True)
    part = "sealed" if sealed else "tuning"
    return part, pack.one_a_group(part)


def record_access(command: Sequence[str], pack_sha256: str) -> dict[str, str]:
    """The record of one access to a sealed part, for the record of the run and the list in ``docs/evidence.md``.

    Args:
        command: the command line, split into arguments.
        pack_sha256: digest of the pack's file.

    Returns:
        ``date`` (UTC), ``command`` and ``pack_sha256``.
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return {"date": date, "command": shlex.join(command), "pack_sha256": pack_sha256}


def access_row(access: dict[str, str]) -> str:
    """The access as a row of the table in ``docs/evidence.md``."""
    return f"| {access['date']} | `{access['command']}` | `{access['pack_sha256']}` |"
