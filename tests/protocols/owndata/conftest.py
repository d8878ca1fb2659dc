"""Small pictures in folders, and tables of them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Write = Callable[..., Path]
FORMATS = {".jpg": "JPEG", ".png": "PNG", ".bmp": "BMP", ".webp": "WEBP", ".tiff": "TIFF"}


@pytest.fixture
def picture(tmp_path: Path) -> Write:
    """Write a picture whose pixels depend on its path, below the folder ``data``; returns its path."""

    def write(name: str, *, side: int = 20, mode: str = "RGB") -> Path:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(list(name.encode()))
        image = Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).convert(mode)
        buffer = io.BytesIO()
        image.save(buffer, FORMATS[path.suffix])
        path.write_bytes(buffer.getvalue())
        return path

    return write


@pytest.fixture
def faces(picture: Write, tmp_path: Path) -> Path:
    """Three people with a gallery picture and two probes each, and a distractor."""
    for person in ("ann", "bob", "cy d'Été"):
        picture(f"gallery/{person}/1.png")
        picture(f"probe/{person}/1.jpg")
        picture(f"probe/{person}/more/2.webp")
    picture("distractor/x.bmp")
    return tmp_path / "data"


@pytest.fixture
def table(faces: Path) -> str:
    """The table of `faces`."""
    root = faces
    rows = ["path,identity,role"]
    for path in sorted(root.rglob("*.*")):
        role, *rest = path.relative_to(root).parts
        rows.append(f'"{path.relative_to(root)}",{rest[0] if len(rest) > 1 else ""},{role}')
    return "\n".join(rows) + "\n"
