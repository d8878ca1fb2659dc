"""The cost of a hallucinator (Table IV): parameters, milliseconds a face, memory; on drawn faces, without data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from bench.digests.closure import closure_digest
from bench.errors import DataError
from bench.interfaces import PROTOCOLS, EvalProtocol, Progress
from bench.io.atomic import replace_folder
from bench.media.low_resolution import to_low_resolution
from bench.studies import EfficiencySet
from bench.types import CheckLine, Media

_DRAWN_AT = 128
_NOTE = (
    "The timed faces are drawn by the suite: the cost of a pass does not depend on the face. A hallucinator that "
    "detects landmarks may not find any in them, which is counted as a fallback."
)


@PROTOCOLS.register(
    "efficiency",
    summary="What a hallucinator costs: parameters, milliseconds a face, memory. Needs no data.",
    source="Zhang et al. 2021, Face hallucination with finishing touches (TIP 30), section V-F and Table IV",
    licence="Apache-2.0 (the faces are drawn)",
)
class Efficiency(EvalProtocol):
    """Every batch size is measured in a separate process, on one core unless ``cores`` is larger.

    Media are RGB of ``lr`` x ``lr`` pixels. Measures: parameters (all, and those of modules that were executed),
    median of milliseconds a face from LR bytes to HR bytes, and peak memory.
    """

    dataset = "drawn-faces"
    how_to_get = "No data are needed: the faces are drawn when they are needed. bench run --protocol efficiency"
    ranks = ()
    mean_average_precision = False
    recognises = False

    def __init__(
        self,
        *,
        lr: Literal[16, 32] = 16,
        batches: tuple[int, ...] = (1, 32),
        repeats: int = 30,
        warmup: int = 3,
        seconds: float = 30.0,
        cores: int = 1,
    ) -> None:
        """Choose what is timed.

        Args:
            lr: side of the LR faces.
            batches: faces a pass.
            repeats: timed passes of each batch, at most.
            warmup: passes before them.
            seconds: time after which no further pass of a batch is started (at least three are timed).
            cores: processor threads that a network may use.

        Raises:
            UsageError: a number is out of range.
        """
        self._lr, self._batches, self._repeats, self._warmup = lr, batches, repeats, warmup
        self._seconds, self._cores = seconds, cores
        self._set(Path(), max(batches, default=0))  # raises UsageError before anything is drawn

    def locate(self, root: Path) -> Path:
        """Return the module that draws the faces; no folder is read."""
        from bench.checks import toy_faces

        return Path(toy_faces.__file__)

    def sample_note(self) -> str:
        """Empty: drawn faces do not replace a data set."""
        return ""

    def write_sample(self, out: Path) -> None:
        """Create the folder; faces are drawn when they are read."""
        out.mkdir(parents=True, exist_ok=True)

    def read(self, root: Path) -> EfficiencySet:
        """List the faces that `read_with` drew into a folder.

        Raises:
            DataError: there are fewer than the largest batch.
        """
        count = sum(path.stem.isdigit() for path in root.glob("*.png")) if root.is_dir() else 0
        if count < max(self._batches):
            raise DataError(f"{root} holds {count} drawn faces; bench run --protocol efficiency draws what it needs")
        return self._set(root, max(self._batches))

    def read_with(self, root: Path, scratch: Path, progress: Progress | None = None) -> EfficiencySet:
        """Draw the faces under ``scratch``, once, and list them."""
        version = closure_digest("bench.checks.toy_faces", "bench.images")[:12]
        count = max(self._batches)
        folder = scratch / f"{version}-{self._lr}-{count}"
        if not folder.is_dir():
            _draw(folder, count, self._lr, progress)
        return self.read(folder)

    def check(self, root: Path, progress: Progress | None = None) -> list[CheckLine]:
        """One line: there are no data to compare."""
        return [CheckLine("ok", "faces", "drawn when they are needed")]

    def _set(self, folder: Path, count: int) -> EfficiencySet:
        names = [f"{k:04d}.png" for k in range(count)]
        return EfficiencySet(
            tuple(Media(name, folder / name, "probe", f"drawn {k}", name) for k, name in enumerate(names)),
            batches=self._batches,
            repeats=self._repeats,
            warmup=self._warmup,
            seconds=self._seconds,
            cores=self._cores,
            notes=(_NOTE,),
        )


def _draw(folder: Path, count: int, lr: int, progress: Progress | None) -> None:
    """Write faces as PNG in one step, with fixed modification times, so that equal faces have equal file states."""
    from bench.checks.toy_faces import draw_face
    from bench.images import encode_png

    try:
        with replace_folder(folder, keep_existing=True, sync=False) as new:
            for k in range(count):
                path = new / f"{k:04d}.png"
                path.write_bytes(encode_png(to_low_resolution(draw_face(k, 0, _DRAWN_AT), lr)))
                os.utime(path, (0, 0))
                if progress:
                    progress(k + 1, count)
    except OSError:
        if not folder.is_dir():  # unless another process was first
            raise
