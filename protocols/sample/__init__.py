"""Samples: every database in miniature and in its official layout, with people that were drawn from a seed.

A sample needs no licence and no download. It is for trying out; `protocols.sample.marker.is_sample` tells it from the
real thing.
"""

from __future__ import annotations

import inspect
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, DataError, UsageError
from protocols.celeba import sample as celeba
from protocols.cfp import sample as cfp
from protocols.dronesurf import sample as dronesurf
from protocols.ijbc import sample as ijbc
from protocols.lfw import sample as lfw
from protocols.mmi import sample as mmi
from protocols.multipie import sample as multipie
from protocols.sample.marker import is_sample, write_marker
from protocols.sample.painter import PAINTERS, Painter, Progress, painter, painter_name
from protocols.sample.shipped import is_shipped, unpack
from protocols.sample.summary import SampleSummary
from protocols.tinyface import sample as tinyface

__all__ = ["PAINTERS", "SAMPLES", "Painter", "Sample", "SampleSummary", "is_sample", "painter", "write_sample"]

_COMMON = ("root", "identities", "seed", "paint", "progress")


@dataclass(frozen=True, slots=True)
class Sample:
    """One writer.

    Attributes:
        write: ``write(root, *, identities, seed, paint, progress=None, **options)``, which fills a folder.
        minimum: the fewest identities it can write.
        default: how many identities a sample has when nobody says.
    """

    write: Callable[..., SampleSummary]
    minimum: int
    default: int

    def options(self) -> tuple[str, ...]:
        """Names of the arguments that are this writer's own; each takes a string."""
        return tuple(name for name in inspect.signature(self.write).parameters if name not in _COMMON)


SAMPLES: dict[str, Sample] = {
    module.NAME: Sample(module.write, module.MINIMUM, module.DEFAULT)
    for module in (tinyface, multipie, mmi, celeba, dronesurf, ijbc, lfw, cfp)
}


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
    """Write a sample whole or not at all: beside its place first, then renamed.

    The default sample of TinyFace is not drawn but unpacked, see `protocols.sample.shipped`; its bytes are the same.

    Args:
        name: of the database, one of `SAMPLES`.
        out: folder that does not exist, or is empty.
        identities: how many people (default: the writer's).
        seed: equal arguments give equal bytes, with the same versions of NumPy, SciPy, Pillow and OpenCV.
        paint: who draws (default: `protocols.sample.painter.DEFAULT_PAINTER`).
        progress: shows how far it is.
        options: the writer's own, for instance ``{"release": "A"}`` of ijbc.

    Returns:
        What was written.

    Raises:
        UsageError: the name, an option, or the number of identities is wrong, or ``out`` is not empty.
        DataError: it cannot be written: the disk is full, the place is read-only.
    """
    if name not in SAMPLES:
        raise UsageError(f"There is no sample of {name!r}; there are {', '.join(sorted(SAMPLES))}.")
    sample, options = SAMPLES[name], dict(options or {})
    unknown = sorted(set(options) - set(sample.options()))
    if unknown:
        known = ", ".join(sample.options()) or "none"
        raise UsageError(f"A sample of {name} has no option {', '.join(unknown)}; its options: {known}.")
    ships = paint is None and is_shipped(name, identities=identities, seed=seed, options=options)
    people = sample.default if identities is None else identities
    out = Path(os.path.abspath(out))  # "." and "x/.." have no name of their own to put a folder beside
    try:
        _refuse_taken(out)
        parent = out.parent
        parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=parent))
        try:
            fresh = beside / "sample"
            fresh.mkdir()
            if ships:
                summary = unpack(fresh)
            else:
                paint = painter() if paint is None else paint
                summary = sample.write(fresh, identities=people, seed=seed, paint=paint, progress=progress, **options)
                write_marker(fresh, summary, painter_name(paint))
            if out.is_dir():
                out.rmdir()  # empty, or this fails and what came meanwhile stays
            os.replace(fresh, out)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except BenchError:
        raise
    except OSError as error:
        raise DataError(
            f"The sample of {name} could not be written to {out} ({error.strerror or error}); nothing was left behind."
        ) from error
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
