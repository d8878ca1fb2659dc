"""The sample of TinyFace that ships is what is drawn, is unpacked whole, and cannot be written elsewhere."""

from __future__ import annotations

import importlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError
from bench.faces.people.look import Look
from bench.faces.people.model import People
from bench.images import read_image
from bench.interfaces import ByteImages
from protocols.sample import is_sample, samples, shipped, write_sample
from protocols.sample.ship import pack_zip, versions

DRAWN = 6
STALE = "run `python -m protocols.sample.ship` and commit protocols/sample/tinyface.zip and tinyface.json"

Tree = Callable[[Path], dict[str, str]]


@pytest.fixture
def by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default painter, which the other tests of samples replace by a quick one."""
    monkeypatch.setattr(importlib.import_module("protocols.sample.painter"), "DEFAULT_PAINTER", "people")


@pytest.fixture
def unpacked(tmp_path: Path, by_default: None) -> Path:
    write_sample("tinyface", tmp_path / "unpacked")
    return tmp_path / "unpacked"


def assert_same(drawn: Path, kept: Path) -> None:
    """Equal bytes with the versions that drew what ships; with others, pictures that hardly differ."""
    if versions() == json.loads(shipped.RECORD.read_text())["packages"]:
        assert drawn.read_bytes() == kept.read_bytes(), f"{drawn.name} is drawn otherwise now: {STALE}"
    elif drawn.suffix == ".jpg":
        difference = np.abs(read_image(drawn).astype(float) - read_image(kept).astype(float))
        assert difference.mean() < 3, f"{drawn.name} is drawn otherwise now: {STALE}"


def test_the_code_that_draws_is_the_code_that_drew_what_ships() -> None:
    assert shipped.drawing_digest() == json.loads(shipped.RECORD.read_text())["drawing"], f"it changed: {STALE}"


def test_the_first_pictures_drawn_anew_are_those_that_ship(tmp_path: Path, unpacked: Path) -> None:
    class FirstOnly(People):
        """Draws a few pictures and stops the writer."""

        def __call__(self, looks: Sequence[Look]) -> list[ByteImages]:
            if len(looks) < DRAWN:
                raise InterruptedError
            empty = [np.zeros((look.size, look.size, 3), np.uint8) for look in looks[DRAWN:]]
            return [*super().__call__(looks[:DRAWN]), *empty]

    def stop_after(done: int) -> None:
        counted.append(done)
        if sum(counted) > DRAWN:
            raise InterruptedError

    class Progress:
        def __init__(self, title: str, total: int) -> None:
            assert total == 395

        def __enter__(self) -> Callable[[int], None]:
            return stop_after

        def __exit__(self, *cause: object) -> None:
            pass

    counted: list[int] = []
    (tmp_path / "drawn").mkdir()
    with pytest.raises(InterruptedError):
        samples()["tinyface"].write(tmp_path / "drawn", identities=40, seed=0, paint=FirstOnly(), progress=Progress)
    pictures = sorted((tmp_path / "drawn").rglob("*.jpg"))
    assert len(pictures) == DRAWN
    for picture in pictures:
        assert_same(picture, unpacked / picture.relative_to(tmp_path / "drawn"))


@pytest.mark.slow
def test_the_whole_sample_drawn_anew_is_the_one_that_ships(tmp_path: Path, unpacked: Path) -> None:
    summary = write_sample("tinyface", tmp_path / "drawn", paint=People())
    assert summary == shipped.unpack(tmp_path / "again")
    files = sorted(path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file())
    assert len(files) == 402
    assert files == sorted(p.relative_to(tmp_path / "drawn") for p in (tmp_path / "drawn").rglob("*") if p.is_file())
    for name in files:
        assert_same(tmp_path / "drawn" / name, unpacked / name)


def test_what_is_unpacked_is_a_whole_sample_of_the_usual_size_and_says_what_it_is(unpacked: Path) -> None:
    assert is_sample(unpacked)
    record = json.loads((unpacked / "sample.json").read_text())
    assert (record["identities"], record["seed"], record["painter"]) == (samples()["tinyface"].default, 0, "people")
    assert "do not exist" in (unpacked / "SAMPLE.txt").read_text()
    assert len(list((unpacked / "Testing_Set" / "Probe").iterdir())) == 59


@pytest.mark.parametrize("other", [{"identities": 3}, {"seed": 1, "identities": 3}])
def test_another_sample_than_the_usual_one_is_drawn(
    other: dict[str, int], tmp_path: Path, by_default: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("protocols.sample.unpack", lambda root: pytest.fail("unpacked"))
    write_sample("tinyface", tmp_path / "out", **other)
    assert is_sample(tmp_path / "out")


def test_a_damaged_archive_is_named_and_nothing_is_left(
    tmp_path: Path, by_default: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / "tinyface.zip"
    damaged.write_bytes(shipped.ARCHIVE.read_bytes()[:-100])
    monkeypatch.setattr(shipped, "ARCHIVE", damaged)
    with pytest.raises(DataError, match=r"tinyface\.zip is damaged"):
        write_sample("tinyface", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../out.txt", "/out.txt", "a/../../out.txt", "C:/out.txt", "..\\out.txt"])
def test_no_file_is_written_outside_the_folder(name: str, tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(name, b"x")
    with pytest.raises(DataError, match="lies outside the folder"):
        shipped.unpack_zip(archive, tmp_path / "in")
    assert not (tmp_path / "out.txt").exists()


def test_an_archive_that_claims_too_much_or_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = tmp_path / "big.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros", bytes(1000))
    monkeypatch.setattr(shipped, "_MOST_BYTES", 999)
    with pytest.raises(DataError, match="holds more than"):
        shipped.unpack_zip(archive, tmp_path / "in")
    archive.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataError, match="cannot be read as a zip archive"):
        shipped.unpack_zip(archive, tmp_path / "in")


def test_packing_gives_equal_bytes_whatever_the_times_of_the_files(tmp_path: Path, tree: Tree) -> None:
    (tmp_path / "a" / "sub").mkdir(parents=True)
    (tmp_path / "a" / "sub" / "x").write_bytes(b"one")
    (tmp_path / "a" / "y").write_bytes(b"two")
    first = pack_zip(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    assert pack_zip(tmp_path / "b") == first
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        assert packed.namelist() == ["sub/x", "y"]
