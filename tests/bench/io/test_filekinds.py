"""What files are by their first bytes."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from bench.io.filekinds import HEAD, kind_of, read_plain


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("pairs.txt", "10 300\n")
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        file.addfile(tarfile.TarInfo("pairs.txt"))
    return buffer.getvalue()


def array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (archive(), "zip archive"),
        (tarred(), "tar archive"),
        (array(), "NumPy array"),
        (pickle.dumps([1]), "Python pickle"),
        (b"\r\n<!DOCTYPE html><title>404", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"%!PS-Adobe-3.0", "PostScript"),
    ],
)
def test_the_kind_of_a_file_with_a_wrong_ending_is_found_by_its_first_bytes(data: bytes, kind: str) -> None:
    assert kind in (kind_of(data[:HEAD]) or "")


@pytest.mark.parametrize("text", [b"", b"10\t300\n", b"\xef\xbb\xbfa,b\n", "é".encode("utf-16"), b"0 1\n"])
def test_text_is_of_no_other_kind(text: bytes) -> None:
    assert kind_of(text) is None


def test_a_pipe_is_refused_at_once_and_a_large_file_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "large.jpg").write_bytes(bytes(11))
    for name, reason in (("pipe.jpg", "not a plain file"), ("large.jpg", "too large"), ("absent.jpg", "not found")):
        with pytest.raises(DataError, match=reason):
            read_plain(tmp_path / name, 10)
    assert read_plain(tmp_path / "large.jpg", 11) == bytes(11)
