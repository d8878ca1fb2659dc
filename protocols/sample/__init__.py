"""Samples: small versions of every database in its official layout, with people drawn from a seed.

This room holds the shared painters, files and marker; each database has its writer in its own ``sample.py``.
May import `bench`; never a database.

A sample needs no licence and no download and is for trials only; `protocols.sample.marker.is_sample` recognises it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from bench.errors import DataError, UsageError
from bench.interfaces import PROTOCOLS
from bench.io.atomic import explain_os_errors, replace_folder
from protocols.sample.marker import is_sample, write_marker
from protocols.sample.painter import PAINTERS, Painter, Progress, painter, painter_name
from protocols.sample.shipped import is_shipped, unpack
from protocols.sample.summary import Sample, SampleSummary

__all__ = [
    "PAINTERS",
    "Painter",
    "Sample",
    "SampleSummary",
    "draw_sample",
    "is_sample",
    "painter",
    "samples",
    "write_sample",
]


def samples() -> dict[str, Sample]:
    """The samples of the registered protocols by database, as each protocol names its writer (``sample_writer``)."""
    writers = (getattr(entry.factory, "sample_writer", None) for entry in PROTOCOLS)
    named = [writer() for writer in writers if writer is not None]
    return {sample.name: sample for sample in named if sample is not None}


def write_sample(
    name: str,
    out: Path,
    *,
    identities: int | None = None,
    seed: int = 0,
    paint: Painter | None = None,
    progress: Progress | None = None,
    options: Mapping[str, str] | None = None,
) -> SampleSummary:
    """Write the sample of a database by name; see `draw_sample`.

    Args:
        name: of the database, one of `samples`.
        out: folder that does not exist, or is empty.
        identities: how many people (default: the writer's).
        seed: see `draw_sample`.
        paint: see `draw_sample`.
        progress: shows the progress.
        options: of the writer, for instance ``{"release": "A"}`` of ijbc.

    Raises:
        UsageError: there is no sample of that name; or as `draw_sample`.
        DataError: as `draw_sample`.
    """
    known = samples()
    if name not in known:
        raise UsageError(f"There is no sample of {name!r}; there are {', '.join(sorted(known))}.")
    return draw_sample(
        known[name], out, identities=identities, seed=seed, paint=paint, progress=progress, options=options
    )


def draw_sample(
    sample: Sample,
    out: Path,
    *,
    identities: int | None = None,
    seed: int = 0,
    paint: Painter | None = None,
    progress: Progress | None = None,
    options: Mapping[str, str] | None = None,
) -> SampleSummary:
    """Write a sample in one step: to a temporary folder that is then renamed.

    The default sample of TinyFace is unpacked instead of drawn, with the same bytes; see `protocols.sample.shipped`.

    Args:
        sample: the writer.
        out: folder that does not exist, or is empty.
        identities: how many people (default: the writer's).
        seed: equal arguments give equal bytes, with the same versions of NumPy, SciPy, Pillow and OpenCV.
        paint: the painter (default: `protocols.sample.painter.DEFAULT_PAINTER`).
        progress: shows the progress.
        options: of the writer, for instance ``{"release": "A"}`` of ijbc.

    Returns:
        Counts of the written files.

    Raises:
        UsageError: an option or the number of identities is wrong, or ``out`` is not empty.
        DataError: it cannot be written, for instance because the disk is full.
    """
    name, options = sample.name, dict(options or {})
    unknown = sorted(set(options) - set(sample.options()))
    if unknown:
        known = ", ".join(sample.options()) or "none"
        raise UsageError(f"A sample of {name} has no option {', '.join(unknown)}; its options: {known}.")
    ships = paint is None and is_shipped(name, identities=identities, seed=seed, options=options)
    people = sample.default if identities is None else identities
    out = Path(os.path.abspath(out))  # "." and "x/.." have no name of their own to put a folder beside
    explained = explain_os_errors(f"Cannot write the sample of {name} to {out}", "Nothing was left behind.", DataError)
    with explained:
        _refuse_taken(out)
        with replace_folder(out, keep_existing=True, sync=False) as new:
            if ships:
                summary = unpack(new)
            else:
                paint = painter() if paint is None else paint
                summary = sample.write(new, identities=people, seed=seed, paint=paint, progress=progress, **options)
                write_marker(new, summary, painter_name(paint))
    return summary


def _refuse_taken(out: Path) -> None:
    above = next(folder for folder in out.parents if folder.exists())
    if not above.is_dir():
        raise UsageError(f"{out}: {above} is no folder.")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is no folder; give one that does not exist yet.")
    if out.is_dir() and next(out.iterdir(), None) is not None:
        what = "a sample" if is_sample(out) else "files"
        raise UsageError(f"{out} already holds {what}; give an empty folder, or one that does not exist yet.")
