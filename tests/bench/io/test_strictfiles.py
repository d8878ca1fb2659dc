"""Files of others: bounds hold before anything is read, allocated or waited for."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from bench.io.printing import printable
from bench.io.strictfiles import parse_finite, parse_json, parse_whole, read_arrays, read_json, read_member, read_rows


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "-Infinity",
        "1e999",
        "1" * 30,
        "9223372036854775808",
        '{"a": 1, "a": 2}',
        "[" * 40 + "]" * 40,
        "[" * 10**6,
        "",
    ],
)
def test_json_is_strict(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text)


def test_json_within_the_bounds_is_read() -> None:
    assert parse_json('{"a": [1, -9223372036854775808, 1.5e300, "x"], "b": null}') == {
        "a": [1, -(2**63), 1.5e300, "x"],
        "b": None,
    }


def test_anything_but_a_regular_file_is_named_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, what in (("pipe", "a pipe"), ("folder", "a folder"), ("none", "No such file")):
        with pytest.raises(DataError, match=rf"{name}.*{what}"):
            read_json(tmp_path / name)
    with pytest.raises(DataError, match="a device"):
        read_json(Path("/dev/zero"))


def test_rows_have_as_many_cells_as_the_header(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('a,b\n1,"x,\ny"\n')
    assert list(read_rows(path)) == [{"a": "1", "b": "x,\ny"}]
    for text, why in (
        ("a,a\n1,2\n", "duplicate column"),
        ("a,b\n1\n", "row 1 has 1 cells, the header 2"),
        ("", "it is empty"),
        ('a,b\n1,"x\n', "unexpected end"),
        (f"a,b\n1,{'x' * 200_000}\n", "larger than field limit"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=why):
            list(read_rows(path))


def test_numbers_of_cells_are_bounded() -> None:
    assert (parse_whole("12"), parse_whole("-3"), parse_finite("1e-3")) == (12, -3, 0.001)
    for text in ("1.0", "1_0", "\u0661", "1" * 30, "", "--1"):
        with pytest.raises(ValueError):
            parse_whole(text)
    for text in ("nan", "inf", "1e999", "x", "1" * 500):
        with pytest.raises(ValueError):
            parse_finite(text)


def test_arrays_are_read_unchanged(tmp_path: Path) -> None:
    arrays = {
        "scores": np.linspace(0, 1, 7, dtype=np.float32),
        "same": np.arange(7) % 2 == 0,
        "table": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "none": np.zeros((0, 4), np.int16),
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    read = read_arrays(tmp_path / "a.npz")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype and np.array_equal(read[name], array)


def test_arrays_larger_than_their_run_are_not_unpacked(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", scores=np.zeros(1 << 20))
    with pytest.raises(DataError, match=r"8\.0 MiB unpacked; at most 64 of 1\.0 MiB are possible for its run"):
        read_arrays(tmp_path / "a.npz", 1 << 20)


def test_a_large_member_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "i.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small.png", b"png")
        archive.writestr("large.png", bytes(20 << 20))
    with zipfile.ZipFile(tmp_path / "i.zip") as archive:
        assert read_member(archive, "small.png") == b"png" and read_member(archive, "other.png") is None
        with pytest.raises(DataError, match="20.0 MiB unpacked"):
            read_member(archive, "large.png")


def test_text_of_a_file_is_shown_as_text() -> None:
    assert printable("plain é 中 👩\u200d🚀") == "plain é 中 👩\u200d🚀"
    assert printable("a\x1b[2J\u202eb\n\udcff\u200b") == "a‹U+001B›[2J‹U+202E›b‹U+000A›‹U+DCFF›‹U+200B›"
    assert printable("one\ntwo\r", lines=True) == "one\ntwo‹U+000D›"
