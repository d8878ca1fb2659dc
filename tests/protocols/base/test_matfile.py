"""The reader of MATLAB files beside SciPy's, and files that are made to break a reader."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from bench.errors import DataError
from protocols.base.matfile import read_mat

WORDS = np.array([["1_1.jpg"], ["2_Zoë.jpg"], ["33_3.png"]], object)
IDS = np.array([[1], [2], [33]])


def saved(path: Path, content: dict[str, object], **options: object) -> Path:
    savemat(path, content, **options)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_numbers_are_what_scipy_reads(tmp_path: Path, kind: str, packed: bool) -> None:
    path = saved(tmp_path / "a.mat", {"ids": IDS.astype(kind), "other": np.ones(3)}, do_compression=packed)
    result, names = read_mat(path, ["ids"])
    assert names == ["ids", "other"] and list(result) == ["ids"]
    assert np.array_equal(result["ids"], loadmat(path)["ids"].ravel())


@pytest.mark.parametrize("packed", [False, True])
def test_cells_of_strings_are_what_scipy_reads(tmp_path: Path, packed: bool) -> None:
    path = saved(tmp_path / "a.mat", {"names": WORDS}, do_compression=packed)
    result, _ = read_mat(path, ["names"])
    assert [cell[0] for cell in result["names"]] == [str(cell[0]) for cell in loadmat(path)["names"].ravel()]


def test_rows_of_characters_and_the_order_of_rows_are_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.mat", {"rows": np.array(["ab ", "cde"]), "grid": np.arange(6).reshape(2, 3)})
    result, _ = read_mat(path, ["rows", "grid"])
    assert result["rows"] == ["ab ", "cde"]
    assert list(result["grid"]) == [0, 1, 2, 3, 4, 5]


def test_variables_of_other_classes_are_passed_over_or_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.mat", {"facts": {"x": 1}, "ids": IDS})
    assert list(read_mat(path, ["ids"])[0]["ids"]) == [1, 2, 33]
    with pytest.raises(DataError, match="'facts' holds neither numbers nor strings"):
        read_mat(path, ["facts"])


def test_a_file_made_to_unpack_to_gigabytes_is_refused(tmp_path: Path) -> None:
    head = saved(tmp_path / "a.mat", {"ids": IDS}).read_bytes()[:128]
    bomb = zlib.compress(bytes(1 << 28), 9)
    (tmp_path / "b.mat").write_bytes(head + struct.pack("<II", 15, len(bomb)) + bomb)
    with pytest.raises(DataError, match="decompresses to far more"):
        read_mat(tmp_path / "b.mat", ["ids"])


@pytest.mark.parametrize("packed", [False, True])
def test_a_changed_file_gives_values_or_one_error_and_never_a_crash(tmp_path: Path, packed: bool) -> None:
    buffer = io.BytesIO()
    savemat(buffer, {"names": WORDS, "ids": IDS.astype(np.uint16)}, do_compression=packed)
    whole = buffer.getvalue()
    draw = random.Random(0)
    path = tmp_path / "a.mat"
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.choice([0, 1, 14, 15, 127, 128, 255, draw.randrange(256)])
        path.write_bytes(data[: draw.choice([len(data), draw.randrange(len(data))])])
        try:
            read_mat(path, ["names", "ids"])
        except DataError as error:
            refused += 1
            assert "\n" not in str(error) and str(path) in str(error)
    assert refused > 100
