"""The shipped sample of TinyFace: the bytes that `write_sample` would draw by default, so that a first run is fast.

`protocols.sample.ship` draws it again.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from bench.errors import DataError
from bench.io.file_digests import file_digest
from protocols.sample.files import write_bytes
from protocols.sample.painter import default_painter
from protocols.sample.summary import SampleSummary

NAME = "tinyface"
ARCHIVE = Path(__file__).with_name(f"{NAME}.zip")
RECORD = Path(__file__).with_name(f"{NAME}.json")
DRAWING = (
    "bench/faces/render/background.py",
    "bench/faces/people/look.py",
    "bench/faces/render/mesh.py",
    "bench/faces/people/model.py",
    "bench/faces/people/people.safetensors",
    "bench/faces/render/pose.py",
    "bench/faces/render/rasteriser.py",
    "bench/faces/landmarks/points.py",
    "bench/faces/render/warp.py",
    "protocols/sample/files.py",
    "protocols/sample/painter.py",
    "protocols/sample/photo.py",
    "protocols/tinyface/sample.py",
)
"""Files that determine the bytes of the sample, relative to the folder of the packages."""
_MOST_FILES, _MOST_BYTES = 10_000, 1 << 26


def is_shipped(name: str, *, identities: int | None, seed: int, options: Mapping[str, str]) -> bool:
    """Whether the default painter's sample is the one that ships.

    Args:
        name: of the database.
        identities: number of people; None for the default.
        seed: of the sample.
        options: of the writer.
    """
    return name == NAME and identities is None and seed == 0 and not options and default_painter() == "people"


def unpack(root: Path) -> SampleSummary:
    """Write the shipped sample into a folder.

    Returns:
        Counts of the written files.

    Raises:
        DataError: the archive is not the shipped one, or holds invalid files.
        OSError: a file cannot be written.
    """
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    content = ARCHIVE.read_bytes()
    if hashlib.sha256(content).hexdigest() != record["archive"]:
        raise DataError(f"{ARCHIVE} is damaged: it is not the file that was shipped. Install the package again.")
    unpack_zip(ARCHIVE, root)
    return SampleSummary(**record["summary"])


def unpack_zip(archive: Path, root: Path) -> None:
    """Write the files of a zip archive below a folder, never outside it.

    Raises:
        DataError: it is not a zip archive, names a file outside the folder, or is too large.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [member for member in packed.infolist() if not member.is_dir()]
            if len(members) > _MOST_FILES or sum(member.file_size for member in members) > _MOST_BYTES:
                raise DataError(f"{archive} holds more than {_MOST_FILES:,} files or {_MOST_BYTES:,} bytes.")
            for member in members:
                path = PurePosixPath(member.filename)
                if path.is_absolute() or ".." in path.parts or "\\" in member.filename or ":" in member.filename:
                    raise DataError(f"{archive} holds {member.filename!r}, which lies outside the folder.")
                write_bytes(root / path, packed.read(member))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive} cannot be read as a zip archive: {error}") from error


def drawing_digest() -> str:
    """SHA-256 over the files of `DRAWING`."""
    root = Path(__file__).parent.parent.parent
    return hashlib.sha256("".join(file_digest(root / name) for name in DRAWING).encode()).hexdigest()
