"""Files whose bytes depend only on their content: no time stamps, machine names or random order."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.interfaces import ByteImages

_MAT_HEADER_TEXT = 116
_MAT_HEADER = b"MATLAB 5.0 MAT-file, sample of face-hallucination-bench"


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with the line ends given, on every system."""
    write_bytes(path, text.encode())


def write_rows(path: Path, header: Sequence[str] | None, rows: Sequence[Sequence[object]]) -> None:
    """Write comma-separated rows; None stands for an empty cell. Values must hold no commas or quotes."""
    lines = [] if header is None else [header]
    text = "".join(",".join("" if v is None else str(v) for v in row) + "\n" for row in [*lines, *rows])
    write_text(path, text)


def jpeg(image: ByteImages, quality: int) -> bytes:
    """Encode RGB uint8 (H, W, 3) as JPEG with 4:2:0 colour and no metadata."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality, subsampling=2)
    return buffer.getvalue()


def png(image: ByteImages) -> bytes:
    """Encode RGB uint8 (H, W, 3) as PNG without metadata."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=2)  # higher levels do not compress noise better
    return buffer.getvalue()


def mat(content: Mapping[str, Any]) -> bytes:
    """Encode variables as a MATLAB 5 file, without the system and time that SciPy writes into the header."""
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(buffer, dict(content))  # type: ignore[arg-type]  # SciPy takes open files, its stubs do not say so
    return _MAT_HEADER.ljust(_MAT_HEADER_TEXT) + buffer.getvalue()[_MAT_HEADER_TEXT:]


def cells(names: Sequence[str]) -> np.ndarray[Any, np.dtype[np.object_]]:
    """A MATLAB cell array (N, 1) of strings."""
    column = np.empty((len(names), 1), object)
    column[:, 0] = list(names)
    return column
