"""Reads the images of runs safely: a damaged or hostile archive only loses its images."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bench.results.folder import IMAGES_FILE
from reports.runs.run import Run

if TYPE_CHECKING:
    from PIL.Image import Image

_PNG = b"\x89PNG\r\n\x1a\n"
_WIDEST = 1024  # pixels: a hostile file of a few kilobytes may decode to gigabytes
_LARGEST = 1 << 20  # bytes: an image of a face has a few kilobytes


class Pictures:
    """The images of runs; faults are collected, not raised. Use it in a ``with`` block.

    Attributes:
        shown: if False, `find` returns None.
        faults: sentences on images that could not be read.
    """

    def __init__(self, *, shown: bool = True) -> None:
        self.shown = shown
        self.faults: list[str] = []
        self._archives: dict[Path, zipfile.ZipFile | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._archives.values():
            if archive:
                archive.close()

    def find(self, run: Run, kind: str, place: int) -> bytes | None:
        """PNG bytes of one image, encoded again; None where the run has none that can be shown."""
        data = self.stored(run, kind, place) if self.shown else None
        image = self.decoded(run, data) if data else None
        if image is None:
            return None
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    def stored(self, run: Run, kind: str, place: int) -> bytes | None:
        """The stored bytes of an image if they begin like a PNG and have a plausible size; else None."""
        member = f"{kind}/{place:06d}.png"
        try:
            archive = self._open(run)
            info = archive.NameToInfo.get(member) if archive else None
            if archive is None or info is None or not 24 <= info.file_size <= _LARGEST:
                return None
            data = archive.read(info)
        except (zipfile.BadZipFile, OSError, RuntimeError, EOFError, zlib.error):  # errors of damaged members
            self._archives.setdefault(run.folder, None)
            self._add_fault(f"{run.folder_name}: images.zip is damaged, so some images are missing below.")
            return None
        return data if data.startswith(_PNG) else None

    def decoded(self, run: Run, data: bytes) -> Image | None:
        """The image as RGB; None where the bytes are no PNG, or the image is larger than any run stores."""
        from PIL import Image

        sides = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])  # of the header, before Pillow allocates
        try:
            if max(sides) <= _WIDEST:
                with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                    return image.convert("RGB")
        except (OSError, ValueError, SyntaxError, zlib.error):  # what Pillow raises on damaged files
            pass
        self._add_fault(
            f"{run.folder_name}: some images in images.zip are no valid images of faces, and are missing below."
        )
        return None

    def _add_fault(self, fault: str) -> None:
        if fault not in self.faults:
            self.faults.append(fault)

    def _open(self, run: Run) -> zipfile.ZipFile | None:
        """The archive of a run, opened once."""
        if run.folder not in self._archives:
            path = run.folder / IMAGES_FILE
            self._archives[run.folder] = zipfile.ZipFile(path) if path.is_file() else None
        return self._archives[run.folder]
