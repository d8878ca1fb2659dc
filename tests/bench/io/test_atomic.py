"""Files and folders appear whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import BenchError, DataError
from bench.io.atomic import explain_os_errors, open_replacing, replace_folder, write_file


@pytest.fixture
def umask() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def test_a_file_keeps_its_content_until_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_file(path, "old")
    with open_replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_an_error_keeps_the_earlier_file_and_leaves_no_temporary_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")
    with pytest.raises(error), open_replacing(path) as file:
        file.write(b"half of the n")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with open_replacing(path) as first:
        first.write(b"1" * 10)
        write_file(path, b"2" * 3)
        first.write(b"1" * 10)
    assert path.read_bytes() == b"1" * 20


def test_a_file_reaches_the_disk_before_it_takes_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, present = tmp_path / "file", []
    monkeypatch.setattr("bench.io.atomic.os.fsync", lambda descriptor: present.append(path.exists()))
    write_file(path, "x")
    assert present == [False]


def test_text_with_bytes_that_are_not_utf8_is_written_with_escapes(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "é\udcff")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "é\\udcff"


def test_permission_bits_are_those_of_a_plain_write(tmp_path: Path, umask: int) -> None:
    write_file(tmp_path / "file", "x")
    with replace_folder(tmp_path / "folder"):
        pass
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~umask


def test_a_folder_replaces_the_earlier_one_completely(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for name in ("first", "second"):
        with replace_folder(folder) as new:
            write_file(new / "deep" / name, name)
    assert os.listdir(folder / "deep") == ["second"]
    assert os.listdir(tmp_path) == ["folder"]


def test_an_error_keeps_the_earlier_folder_and_leaves_no_temporary_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write_file(folder / "first", "1")
    with pytest.raises(ValueError, match="later"), replace_folder(folder) as new:
        write_file(new / "second", "2")
        raise ValueError("later")
    assert os.listdir(folder) == ["first"]
    assert os.listdir(tmp_path) == ["folder"]


def test_the_earlier_folder_is_restored_if_the_new_one_cannot_be_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, rename = tmp_path / "folder", Path.rename
    write_file(folder / "first", "1")

    def refuse(self: Path, target: Path) -> Path:
        if self.name.endswith(".partial"):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space left"), replace_folder(folder):
        pass
    assert os.listdir(folder) == ["first"]
    assert os.listdir(tmp_path) == ["folder"]


def test_a_folder_that_is_not_empty_is_kept_with_keep_existing(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with replace_folder(folder, keep_existing=True) as new:
        write_file(new / "first", "1")
    with pytest.raises(OSError), replace_folder(folder, keep_existing=True) as new:
        write_file(new / "second", "2")
    assert os.listdir(folder) == ["first"]
    assert os.listdir(tmp_path) == ["folder"]


def test_only_old_leftovers_of_the_same_folder_are_removed(tmp_path: Path) -> None:
    ours, recent, other = (tmp_path / f".{name}.partial" for name in ("a.0123abcd", "a.89abcdef", "b.0123abcd"))
    for left_over in (ours, recent, other):
        write_file(left_over / "x", "x")
    for left_over in (ours, other):
        os.utime(left_over, (0, 0))
    with replace_folder(tmp_path / "a"):
        pass
    assert sorted(os.listdir(tmp_path)) == [recent.name, other.name, "a"]


def test_files_of_a_folder_reach_the_disk_with_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count: list[int] = []
    monkeypatch.setattr("bench.io.atomic.os.fsync", count.append)
    for sync in (True, False):
        with replace_folder(tmp_path / str(sync), sync=sync) as new:
            (new / "deep").mkdir()
            (new / "deep" / "x").write_text("x")
    assert len(count) == 1


def test_errors_of_the_system_become_errors_of_the_suite() -> None:
    with pytest.raises(BenchError, match=r"^Cannot write x: No space left on device\. Free some\.$"):
        with explain_os_errors("Cannot write x", "Free some."):
            raise OSError(28, "No space left on device")
    with (
        pytest.raises(DataError, match=r"^Cannot write x: torn\.$"),
        explain_os_errors("Cannot write x", "", DataError),
    ):
        raise OSError("torn")
    with pytest.raises(ValueError, match="mine"), explain_os_errors("Cannot write x"):
        raise ValueError("mine")
