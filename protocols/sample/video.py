"""MP4 files by OpenCV, which writes no time stamp; the written frames are counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import DataError, MissingError
from bench.interfaces import ByteImages


def write_mp4(path: Path, frames: Sequence[ByteImages], *, per_second: int) -> None:
    """Write MPEG-4 video.

    Args:
        path: the file; missing parent folders are created.
        frames: at least one, RGB uint8, all of one even size.
        per_second: frames a second.

    Raises:
        MissingError: this OpenCV cannot write such videos.
        DataError: the written file lacks frames, most likely because the disk is full; OpenCV reports no error.
    """
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames[0].shape[:2]
    code = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, float(per_second), (width, height))
    if not writer.isOpened():
        path.with_name(f"{path.name}.probe").write_bytes(b"\0")  # raises where the folder is not writable
        path.with_name(f"{path.name}.probe").unlink()
        raise MissingError(f"OpenCV {cv2.__version__} cannot write MPEG-4 video: install opencv-python-headless.")
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()
    count = _count(path)
    if count != len(frames):
        raise DataError(f"{path.name} holds {count} of {len(frames)} frames after writing; is the disk full?")


def _count(path: Path) -> int:
    """Frames that can be decoded."""
    import cv2

    reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    count = 0
    while reader.isOpened() and reader.grab():
        count += 1
    reader.release()
    return count
