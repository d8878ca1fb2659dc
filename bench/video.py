"""Single frames of video files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.images import ByteImages

_AHEAD = 64  # frames read on rather than sought: a search decodes from the last key frame anyway


class _Film:
    """An open file and where it stands."""

    def __init__(self, path: Path) -> None:
        import cv2

        self._capture = cv2.VideoCapture(str(path))
        self._next = 0
        self.frames = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)) if self._capture.isOpened() else 0

    def frame(self, index: int) -> ByteImages | None:
        import cv2

        if not self._next <= index < self._next + _AHEAD:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
            self._next = index
        while True:
            found, image = self._capture.read()
            self._next += 1
            if not found:
                self._next = -1 - _AHEAD  # where it stands is not known now
                return None
            if self._next > index:
                return np.ascontiguousarray(image[:, :, ::-1])


def read_frame(path: Path, index: int) -> ByteImages:
    """One frame of a video.

    Args:
        path: the file, of any format OpenCV reads.
        index: from 0.

    Returns:
        RGB uint8 (H, W, 3).

    Raises:
        DataError: with a short reason that names no file: it is absent, no video, or shorter.
    """
    if not path.is_file():
        raise DataError("file not found")
    if index < 0:
        raise DataError("frame before the first")
    film = _film(path, path.stat().st_mtime_ns)
    image = film.frame(index)
    if image is None:
        raise DataError("not a video" if film.frames <= 0 else "frame not in the video")
    return image


def count_frames(path: Path) -> int:
    """Frames that a video's header tells of; 0 where it is none."""
    return max(0, _film(path, path.stat().st_mtime_ns).frames) if path.is_file() else 0


@lru_cache(maxsize=4)
def _film(path: Path, changed: int) -> _Film:
    return _Film(path)
