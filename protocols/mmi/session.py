"""One session of MMI: subject, emotion, view, and the frames to use of its clip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bench.errors import DataError
from bench.images import read_image
from bench.io.file_digests import file_state
from bench.media.video import Header, header_of, open_video
from bench.types import Cut
from protocols.mmi.annotations import APEX, NEUTRAL, Unit

EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
"""In the order of the emotion codes 1 to 6."""
FRONTAL, OTHER_VIEW, DUAL_VIEW = 0, 1, 2
FILMS = (".avi", ".mp4", ".mov", ".mpg", ".mpeg", ".mkv")
_UPRIGHT_HEIGHT = 480


@dataclass(frozen=True, slots=True)
class Session:
    """One video or still.

    Attributes:
        folder: name of its folder: the session's number.
        subject: ``S<sss>`` of its file name without leading zeros, as text: the identity.
        clip: ``<nnn>`` of its file name.
        view: 0 frontal, 1 another single view, 2 dual view, None where it is not given.
        emotion: the code, 1 to 6 for those of `EMOTIONS`; None where none is given.
        units: action units, with markers where the clip has temporal coding.
        media: the video or still.
    """

    folder: str
    subject: str
    clip: int
    view: int | None
    emotion: int | None
    units: tuple[Unit, ...]
    media: Path

    @property
    def key(self) -> str:
        """Unique and stable: folder and file."""
        return f"{self.folder}/{self.media.name}"

    @property
    def expression(self) -> str | None:
        """Name of the emotion; None where there is none, or the code has no name."""
        return EMOTIONS[self.emotion - 1] if self.emotion and 1 <= self.emotion <= len(EMOTIONS) else None

    @property
    def film(self) -> bool:
        """Whether it is a video."""
        return self.media.suffix.lower() in FILMS

    @property
    def frontal(self) -> bool:
        """Whether it shows a frontal face: frontal and dual views."""
        return self.view in (FRONTAL, DUAL_VIEW)

    @property
    def coded(self) -> bool:
        """Whether it has temporal coding."""
        return any(unit.markers for unit in self.units)

    @property
    def frames(self) -> int:
        """Number of frames by the video's header, 0 where it cannot be opened; 1 for a still, which is not opened."""
        return read_header(self.media).frames if self.film else 1

    def cuts(self, frame: int) -> tuple[Cut, ...]:
        """Crops that may show the frame's upright frontal face, the likeliest first; empty for other views.

        A frontal view is tried with and without rotation: clips that are not 480 rows high were recorded with the
        camera on its side and need a clockwise quarter turn, but this differs between downloads. Of a dual view both
        halves are tried, since either may be the frontal one. The first crop with an upright frontal face is the right
        one.

        Raises:
            DataError: a dual view cannot be opened; a short reason without file names.
        """
        number = frame if self.film else None
        if self.view == DUAL_VIEW:
            width, height = self._size()
            half = width // 2
            return tuple(Cut(frame=number, box=(left, 0, half, height)) for left in (0, width - half))
        if self.view != FRONTAL:
            return ()
        upright = not self.film or read_header(self.media).height == _UPRIGHT_HEIGHT
        return tuple(Cut(frame=number, quarter_turns=turns) for turns in ((0, 1, 3) if upright else (1, 0, 3)))

    def apex_frames(self, count: int) -> tuple[int, ...]:
        """Frames at the apex of the expression, evenly spaced; frame 0 for a still, none for an unreadable video.

        In clips with temporal coding: the longest run of frames with the most units at their apex. In others: from 2/5
        to 3/5 of the clip, since clips begin and end neutral.

        Args:
            count: largest number of frames; a short apex gives fewer.
        """
        frames = self.frames
        if not self.film or frames < 1:
            return tuple(range(frames))
        first, last = self._apex(frames) or (int(0.4 * frames), max(int(0.6 * frames), int(0.4 * frames)))
        length = last - first + 1
        return tuple(first + (2 * i + 1) * length // (2 * min(count, length)) for i in range(min(count, length)))

    def neutral_frame(self) -> int | None:
        """A neutral frame: the first; None for a still, an unreadable video, or one coded as moving from the start."""
        moving = any(unit.type_at(0) != NEUTRAL for unit in self.units)
        return 0 if self.film and self.frames > 0 and not moving else None

    def _apex(self, frames: int) -> tuple[int, int] | None:
        counts = [sum(unit.type_at(frame) == APEX for unit in self.units) for frame in range(frames)]
        most = max(counts, default=0)
        if not most:
            return None
        runs: list[tuple[int, int]] = []
        for frame, number in enumerate(counts):
            if number == most:
                start = runs.pop()[0] if runs and runs[-1][1] == frame - 1 else frame
                runs.append((start, frame))
        return max(runs, key=lambda run: run[1] - run[0])

    def _size(self) -> tuple[int, int]:
        if not self.film:
            height, width = read_image(self.media).shape[:2]
            return width, height
        header = read_header(self.media)
        if not header.frames:
            raise DataError("not a video")
        return header.width, header.height


def read_header(path: Path) -> Header:
    """Header of a video; read again only when the file changes."""
    try:
        return _header(path, file_state(path))
    except OSError:
        return Header(0, 0, 0)


@lru_cache(maxsize=8192)
def _header(path: Path, state: tuple[int, ...]) -> Header:
    video = open_video(path)
    if video is None:
        return Header(0, 0, 0)
    try:
        return header_of(video)
    finally:
        video.release()
