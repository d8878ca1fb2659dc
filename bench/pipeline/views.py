"""Images before and after the chain, kept while they are embedded, so that no later step hallucinates them again."""

from __future__ import annotations

import tempfile
import weakref
from types import TracebackType
from typing import NamedTuple

from bench.images import ByteImages, encode_png, resize
from bench.types import Outcome

PICTURE_SIDE = 128
"""Longest side of a picture in pixels."""
_IN_MEMORY = 1 << 26  # bytes of pictures; more go to a file


class View(NamedTuple):
    """An image before and after the chain.

    Attributes:
        lr: the decoded image, RGB uint8 (h, w, 3); None where it could not be read.
        out: the output of the chain, RGB uint8 (H, W, 3); ``lr`` itself where the chain changes nothing; None where a
            stage failed.
        outcome: after the chain, before alignment.
    """

    lr: ByteImages | None
    out: ByteImages | None
    outcome: Outcome


class Picture(NamedTuple):
    """A view as PNG files of at most `PICTURE_SIDE` pixels a side.

    Attributes:
        template: of the image.
        lr: the decoded image; empty where it could not be read.
        out: the output; empty where it failed or is the decoded image.
    """

    template: str
    lr: bytes
    out: bytes


def picture_of(template: str, view: View) -> Picture:
    """Encode a view."""
    lr = b"" if view.lr is None else encode_picture(view.lr)
    out = b"" if view.out is None or view.out is view.lr else encode_picture(view.out)
    return Picture(template, lr, out)


def encode_picture(image: ByteImages) -> bytes:
    """PNG bytes of an RGB uint8 image (h, w, 3), shrunk where a side is longer than `PICTURE_SIDE`."""
    height, width = image.shape[:2]
    if max(height, width) > PICTURE_SIDE:
        scale = PICTURE_SIDE / max(height, width)
        image = resize(image, max(1, round(height * scale)), max(1, round(width * scale)))
    return encode_png(image)


class PictureStore:
    """Pictures by template, in memory or in a temporary file, until the run folder is written."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, prefix="bench-pictures-")
        weakref.finalize(self, self._file.close)  # a run that ends by an error does not leave its block
        self._places: dict[str, tuple[int, int, int]] = {}

    def __enter__(self) -> PictureStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __contains__(self, template: object) -> bool:
        return template in self._places

    def __getitem__(self, template: str) -> Picture:
        """The picture of a template; raises KeyError where there is none."""
        start, lr, out = self._places[template]
        self._file.seek(start)
        return Picture(template, self._file.read(lr), self._file.read(out))

    def put(self, picture: Picture) -> None:
        """Store a picture."""
        start = self._file.seek(0, 2)
        self._file.write(picture.lr + picture.out)
        self._places[picture.template] = (start, len(picture.lr), len(picture.out))
