"""Files count by their bytes, whatever their sizes and times say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.errors import ChangedError
from bench.io import file_digests
from bench.io.file_digests import DigestedPath, known_file_digest, mark_as_loaded, path_digest, refuse_changed


def swap(path: Path, data: bytes) -> None:
    """Other bytes under the same name, size and date."""
    stat = path.stat()
    assert len(data) == stat.st_size
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_other_bytes_of_the_same_size_and_date_have_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    for data in (b"abc", b"abd", b"abe"):  # at once: clocks of file systems move in steps
        if path.exists():
            swap(path, data)
        else:
            path.write_bytes(data)
        assert known_file_digest(path) == __import__("hashlib").sha256(data).hexdigest()


def test_a_file_that_did_not_change_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.bin"
    path.write_bytes(b"abc")
    monkeypatch.setattr(file_digests, "_CLOCK_STEP_NS", -(10**12))
    reads = []
    monkeypatch.setattr(file_digests, "file_digest", lambda path: reads.append(path) or "digest")
    assert [known_file_digest(path), known_file_digest(path)] == ["digest", "digest"]
    assert reads == [path]


def test_a_folder_is_digested_by_the_names_and_bytes_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "net.bin").write_bytes(b"abc")
    before = path_digest(folder)
    swap(folder / "deep" / "net.bin", b"abd")
    other = path_digest(folder)
    (folder / "deep" / "net.bin").rename(folder / "deep" / "other.bin")
    assert len({before, other, path_digest(folder)}) == 3


def test_a_folder_of_too_many_files_is_digested_by_sizes_and_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.bin").write_bytes(b"abc")
    monkeypatch.setattr(file_digests, "MOST_FILES", 2)
    monkeypatch.setattr(file_digests, "known_file_digest", lambda path: pytest.fail("read"))
    before = path_digest(tmp_path)
    (tmp_path / "0.bin").write_bytes(b"abcd")
    assert path_digest(tmp_path) != before


def test_a_missing_file_has_a_digest(tmp_path: Path) -> None:
    assert path_digest(tmp_path / "none") == "absent"
    assert path_digest(Path("x\0y")) in ("absent", "unreadable")


def test_a_path_that_changes_is_refused_unless_its_bytes_were_loaded_before(tmp_path: Path) -> None:
    path = tmp_path / "net.bin"
    path.write_bytes(b"abc")
    item = DigestedPath(path, path_digest(path), "hallucinator mine")
    refuse_changed([item])
    swap(path, b"abd")
    with pytest.raises(ChangedError, match=r"net\.bin of hallucinator mine has changed since this run began"):
        refuse_changed([item])
    mark_as_loaded(path, item.sha256)
    refuse_changed([item])
