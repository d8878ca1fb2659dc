"""The .bin files of insightface: what is read, and that nothing in them is ever called."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from protocols.owndata import pair_bin
from protocols.owndata.pair_bin import extract, read_bin

IMAGES, LABELS = [b"\xff\xd8\xffone", b"\x89PNGtwo", b"three" * 100, b""], [True, False]


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def python2(images: list[bytes], labels: list[bool]) -> bytes:
    """The same content as Python 2 pickles it with protocol 2: byte strings by BINSTRING and SHORT_BINSTRING."""
    parts = [b"\x80\x02]q\x00("]
    for number, image in enumerate(images, 1):
        short = b"U" + bytes([len(image)]) if len(image) < 256 else b"T" + struct.pack("<i", len(image))
        parts.append(short + image + b"q" + bytes([number]))
    parts += [b"e]q\x70(", *(b"\x88" if label else b"\x89" for label in labels), b"e\x86q\x71."]
    return b"".join(parts)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_images_and_labels_are_read_as_they_were_pickled(tmp_path: Path, protocol: int) -> None:
    path = written(tmp_path / "a.bin", pickle.dumps((IMAGES, LABELS), protocol=protocol))
    assert read_bin(path) == (IMAGES, LABELS)
    many = [bytes([i % 256]) * 3 for i in range(5000)], [i % 3 == 0 for i in range(2500)]
    assert read_bin(written(tmp_path / "b.bin", pickle.dumps(many, protocol=protocol))) == many


def test_files_of_python_2_are_read(tmp_path: Path) -> None:
    data = python2(IMAGES, LABELS)
    assert pickle.loads(data, encoding="bytes") == (IMAGES, LABELS)
    assert read_bin(written(tmp_path / "a.bin", data)) == (IMAGES, LABELS)


def test_an_image_that_is_stored_once_and_used_twice_is_read_twice(tmp_path: Path) -> None:
    image = b"\xff\xd8\xffsame"
    path = written(tmp_path / "a.bin", pickle.dumps(([image, image], [True]), protocol=4))
    assert read_bin(path)[0] == [image, image]


class Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path(self.path),)

    path = ""


def test_objects_are_refused_and_never_built(tmp_path: Path) -> None:
    harm = Harm()
    Harm.path = str(tmp_path / "harmed")
    for protocol in (0, 1, 2, 4):
        path = written(tmp_path / "a.bin", pickle.dumps(([harm, b""], [True]), protocol=protocol))
        with pytest.raises(DataError, match="never loaded"):
            read_bin(path)
    array = written(tmp_path / "a.bin", pickle.dumps((np.zeros((2, 3), np.uint8), [True]), protocol=4))
    with pytest.raises(DataError, match="never loaded"):
        read_bin(array)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps((IMAGES, LABELS))[:-30], "no complete .bin file"),
        (b"", "no complete .bin file"),
        (b"\x80\x04.", "no complete .bin file"),
        (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f" + b"x.", "no complete .bin file"),
        (b"\x80\x04h\x07.", "no complete .bin file"),
        (b"\x80\x04e.", "no complete .bin file"),
        (pickle.dumps(([[b""]], LABELS)), "of pairs .a list holds lists"),
        (pickle.dumps(IMAGES), "no two lists"),
        (pickle.dumps((IMAGES, LABELS, LABELS)), "never loaded"),
        (pickle.dumps((IMAGES, LABELS[:1])), "4 images and 1 labels; expected two images a label"),
        (pickle.dumps(([], [])), "0 images and 0 labels"),
        (pickle.dumps((LABELS, LABELS)), "other values than encoded images"),
        (b"MXNet record file, not a pickle", "no complete .bin file|never loaded"),
    ],
)
def test_files_that_are_damaged_or_hold_something_else_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_bin(written(tmp_path / "a.bin", data))


def test_sizes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "a.bin", pickle.dumps((IMAGES, LABELS)))
    monkeypatch.setattr(pair_bin, "MOST_IMAGES", 3)
    with pytest.raises(DataError, match="too many values"):
        read_bin(path)
    monkeypatch.undo()
    repeated = written(tmp_path / "b.bin", pickle.dumps(([b"x" * 400] * 20, [True] * 10)))
    monkeypatch.setattr(pair_bin, "LARGEST", 2000)
    with pytest.raises(DataError, match="8,000 bytes of images"):
        read_bin(repeated)
    monkeypatch.setattr(pair_bin, "LARGEST", 10)
    with pytest.raises(DataError, match="file is too large"):
        read_bin(path)
    with pytest.raises(DataError, match="file not found"):
        read_bin(tmp_path / "none.bin")


def test_images_are_written_once_to_a_folder_named_by_their_digest(tmp_path: Path) -> None:
    path = written(tmp_path / "a.bin", pickle.dumps((IMAGES, LABELS)))
    files, labels = extract(path, tmp_path / "scratch")
    assert [file.read_bytes() for file in files] == IMAGES and labels == LABELS
    assert [file.suffix for file in files] == [".jpg", ".png", ".jpg", ".jpg"]
    before = files[0].stat().st_mtime_ns
    assert extract(path, tmp_path / "scratch")[0] == files and files[0].stat().st_mtime_ns == before
    written(path, pickle.dumps((IMAGES[::-1], LABELS)))
    assert extract(path, tmp_path / "scratch")[0][0].parent != files[0].parent
