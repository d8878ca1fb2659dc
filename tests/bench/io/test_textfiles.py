"""One reader for every list: what it takes, and what it says of a file that is none."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bench.errors import DataError
from bench.io.textfiles import check_text, finite_number, open_text, quote, read_lines, read_text, whole_number


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_any_line_end_change_nothing(tmp_path: Path, mark: bytes, end: bytes) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes(mark + end.join([b"1\t2", b"", "Zoë 1".encode(), b""]))
    assert read_lines(path) == [(1, "1\t2"), (3, "Zoë 1")]
    with open_text(path) as file:
        assert file.read().split() == ["1", "2", "Zoë", "1"]


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("pairs.txt", "10 300\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("10 300\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("10 300\n".encode("utf-16-le"), "line 1: a NUL byte, which text never has; the file is damaged, or UTF-16"),
        ("a 1 2\nZoë 1 2\n".encode("latin-1"), "line 2: the byte 0xeb is not UTF-8"),
        (b"a 1 2\nb\0 1 2\n", "line 2: a NUL byte"),
        (b"<!DOCTYPE html>\n<html>", "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        (b"\x80\x04]q\0", "is a Python pickle"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG image"),
    ],
)
def test_a_file_that_is_not_text_is_named_with_the_line(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes(content)
    for read in (read_text, check_text):
        with pytest.raises(DataError, match=reason) as caught:
            read(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_an_archive_under_the_name_of_a_list_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    zipped(path)
    with pytest.raises(DataError, match="pairs.txt is a zip archive, not the text file that its name says"):
        read_lines(path)


def test_text_of_a_file_is_quoted_in_short_and_without_control_characters() -> None:
    assert quote("Zoë") == "'Zoë'"
    assert len(quote("x" * 10**6)) < 70
    assert quote("\x1b[2Jgone\u202e") == "'\\x1b[2Jgone\\u202e'"


@pytest.mark.parametrize("text", ["", "1.0", "1e3", "1_000", "9" * 16, "9" * 5000, "--1", "\u0663"])
def test_a_cell_that_is_not_an_integer_is_none(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize("text", ["", "nan", "inf", "-Infinity", "1e400", "9" * 5000, "1_0", "\u0663"])
def test_a_cell_that_is_not_a_finite_number_is_none(text: str) -> None:
    assert finite_number(text) is None


def test_numbers_are_read_with_their_sign() -> None:
    assert (whole_number(" -12 "), whole_number("+7"), finite_number("-1.5e2")) == (-12, 7, -150.0)
