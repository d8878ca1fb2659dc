"""Single frames of video files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.errors import DataError
from bench.images import ByteImages

if TYPE_CHECKING:
    import cv2

_CONTAINERS: tuple[tuple[int, bytes], ...] = (
    (8, b"AVI "),
    (8, b"AVIX"),
    (4, b"ftyp"),  # MP4, QuickTime
    (4, b"moov"),
    (4, b"mdat"),
    (4, b"wide"),
    (4, b"free"),
    (4, b"skip"),
    (0, b"\x1aE\xdf\xa3"),  # Matroska
    (0, b"\0\0\1\xba"),  # MPEG program stream
    (0, b"\0\0\1\xb3"),  # MPEG video
    (0, b"\x47"),  # MPEG transport stream
    (0, b"\x30\x26\xb2\x75"),  # ASF
)
_MAX_PIXELS = 64_000_000
_AHEAD = 64  # frames read instead of seeking: a seek decodes from the last key frame anyway


class _Video:
    """An open video and the number of its next frame."""

    def __init__(self, path: Path) -> None:
        self._capture = open_video(path)
        self._next = 0
        self.frames = header_of(self._capture).frames if self._capture else 0

    def frame(self, index: int) -> ByteImages | None:
        import cv2

        if self._capture is None:
            return None
        if not self._next <= index < self._next + _AHEAD:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, index)
            self._next = index
        while True:
            read, image = self._capture.read()
            self._next += 1
            if not read:
                self._next = -1 - _AHEAD  # the position is unknown
                return None
            if self._next > index:
                return np.ascontiguousarray(image[:, :, ::-1])


class Header(NamedTuple):
    """Numbers of a video's header; zeros where it cannot be opened."""

    frames: int
    width: int
    height: int


def open_video(path: Path) -> cv2.VideoCapture | None:
    """Open a video by its header; the only place where OpenCV opens a user's file.

    Playlists, lists of files and patterns of names are refused, whatever their name: only files that begin like AVI,
    MP4, QuickTime, Matroska, MPEG and ASF are opened.

    Returns:
        The open video, or None where it is not a video or its frames are too large.
    """
    import cv2

    try:
        with path.open("rb") as file:
            head = file.read(16)
    except (OSError, ValueError):
        return None
    if not any(head[place:].startswith(mark) for place, mark in _CONTAINERS):
        return None
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    header = header_of(capture) if capture.isOpened() else None
    if header is None or header.width * header.height > _MAX_PIXELS:
        capture.release()
        return None
    return capture


def header_of(capture: cv2.VideoCapture) -> Header:
    """The header of an open video."""
    import cv2

    properties = (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    return Header(*(_count(capture.get(number)) for number in properties))


def read_frame(path: Path, index: int) -> ByteImages:
    """One frame of a video.

    Args:
        path: the file, of any format OpenCV reads.
        index: from 0.

    Returns:
        RGB uint8 (H, W, 3).

    Raises:
        DataError: with a short reason without file names: the file is absent, not a video, or shorter.
    """
    if not path.is_file():
        raise DataError("file not found")
    if index < 0:
        raise DataError("frame before the first")
    video = _open_cached(path, _state(path))
    image = video.frame(index)
    if image is None:
        raise DataError("not a video" if video.frames <= 0 else "frame not in the video")
    return image


def count_frames(path: Path) -> int:
    """Number of frames by a video's header; 0 where it cannot be opened."""
    return max(0, _open_cached(path, _state(path)).frames) if path.is_file() else 0


def _count(value: float) -> int:
    """A whole number of a header; 0 where the value is invalid."""
    return int(value) if 0 <= value < 1 << 53 else 0


@lru_cache(maxsize=4)
def _open_cached(path: Path, state: tuple[int, ...]) -> _Video:
    return _Video(path)


def _state(path: Path) -> tuple[int, ...]:
    """File state that changes when a file is replaced, also by one of the same size and date."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
