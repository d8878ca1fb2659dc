"""Draw the shipped sample again: ``python -m protocols.sample.ship``, after a file of `shipped.DRAWING` changed."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from bench import progress
from protocols.sample import write_sample
from protocols.sample.painter import painter
from protocols.sample.shipped import ARCHIVE, NAME, RECORD, drawing_digest

PACKAGES = ("numpy", "pillow", "scipy", "torch")
"""Packages whose versions determine the bytes, besides OpenCV, which has several distributions."""
_TIME = (1980, 1, 1, 0, 0, 0)


def ship(archive: Path = ARCHIVE, record: Path = RECORD) -> None:
    """Draw the sample; write the archive and its record."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / NAME
        summary = write_sample(NAME, root, paint=painter("people"), progress=progress.stage)
        content = pack_zip(root)
    facts = {
        "archive": hashlib.sha256(content).hexdigest(),
        "drawing": drawing_digest(),
        "packages": versions(),
        "summary": asdict(summary),
    }
    archive.write_bytes(content)
    record.write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def pack_zip(root: Path) -> bytes:
    """A zip archive of all files below a folder; equal files give equal bytes with the same zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(path.relative_to(root).as_posix(), _TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            packed.writestr(member, path.read_bytes())
    return buffer.getvalue()


def versions() -> dict[str, str]:
    """Versions of the packages that determine the bytes."""
    import cv2

    return {"cv2": cv2.__version__, **{name: version(name) for name in PACKAGES}}


if __name__ == "__main__":
    ship()
