"""Motion JPEG in an AVI file, so that the same frames give the same bytes and Pillow decides the JPEG quality."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from bench.interfaces import ByteImages
from protocols.sample.files import jpeg

_HAS_INDEX, _KEY_FRAME = 0x10, 0x10


def avi(frames: Sequence[ByteImages], *, per_second: int, quality: int = 85) -> bytes:
    """Encode frames as Motion JPEG.

    Args:
        frames: at least one, RGB uint8, all of one size.
        per_second: frames a second.
        quality: of the JPEG images.

    Returns:
        An AVI 1.0 file with one video stream and an index.

    Source: Microsoft, AVI RIFF File Reference.
    """
    height, width = frames[0].shape[:2]
    pictures = [jpeg(frame, quality) for frame in frames]
    largest = max(map(len, pictures))
    header = struct.pack(
        "<14I", 1_000_000 // per_second, largest * per_second, 0, _HAS_INDEX, len(frames), 0, 1, largest, width, height,
        0, 0, 0, 0,
    )  # fmt: skip
    stream = struct.pack(
        "<4s4sIHHIIIIIIII4H", b"vids", b"MJPG", 0, 0, 0, 0, 1, per_second, 0, len(frames), largest, 0xFFFFFFFF, 0,
        0, 0, width, height,
    )  # fmt: skip
    bitmap = struct.pack("<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0)
    chunks, index, offset = [], [], 4  # offsets count from the word "movi"
    for picture in pictures:
        chunk = _chunk(b"00dc", picture)
        index.append(struct.pack("<4sIII", b"00dc", _KEY_FRAME, offset, len(picture)))
        chunks.append(chunk)
        offset += len(chunk)
    streams = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", bitmap))
    body = _list(b"hdrl", _chunk(b"avih", header) + streams)
    body += _list(b"movi", b"".join(chunks)) + _chunk(b"idx1", b"".join(index))
    return _chunk(b"RIFF", b"AVI " + body)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A RIFF chunk: name, length, content, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _list(name: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", name + content)
