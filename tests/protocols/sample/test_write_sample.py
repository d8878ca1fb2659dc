"""Writing a sample: whole or not at all, marked as a sample, refused where it cannot be right."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ContractError, DataError, MissingError, UsageError
from bench.faces.people.look import Look
from bench.interfaces import PROTOCOLS, ByteImages
from protocols.sample import is_sample, samples, write_sample
from protocols.sample.cartoon import Cartoon
from protocols.sample.painter import painter
from protocols.tinyface.protocol import TinyFace


def test_a_sample_says_what_it_is(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "tf"
    summary = write_sample("tinyface", out, identities=3, seed=7)
    assert json.loads((out / "sample.json").read_text()) == {
        "sample": True,
        "database": "tinyface",
        "identities": 3,
        "seed": 7,
        "painter": "cartoon",
        "options": {},
        "schema": 1,
    }
    assert "not tinyface" in (out / "SAMPLE.txt").read_text()
    assert is_sample(out) and not is_sample(tmp_path)
    assert summary.images == len(list(out.rglob("*.jpg")))


@pytest.mark.parametrize("lost", ["sample.json", "SAMPLE.txt"])
def test_a_sample_that_lost_one_of_its_two_files_is_still_one(tmp_path: Path, lost: str) -> None:
    write_sample("tinyface", tmp_path / "tf", identities=3)
    (tmp_path / "tf" / lost).unlink()
    assert is_sample(tmp_path / "tf")


def test_an_empty_folder_is_filled_and_one_that_holds_something_refused(tmp_path: Path) -> None:
    out = tmp_path / "tf"
    out.mkdir()
    write_sample("tinyface", out, identities=3)
    with pytest.raises(UsageError, match="already holds a sample"):
        write_sample("tinyface", out, identities=3)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("keep")
    with pytest.raises(UsageError, match="already holds files"):
        write_sample("tinyface", mine, identities=3)
    assert [path.name for path in mine.iterdir()] == ["notes.txt"]
    with pytest.raises(UsageError, match="is no folder"):
        write_sample("tinyface", mine / "notes.txt", identities=3)


def test_the_working_folder_can_be_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    write_sample("tinyface", Path("."), identities=3)
    assert is_sample(here) and [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="file is no folder"):
        write_sample("tinyface", tmp_path / "file" / "out", identities=3)


@pytest.mark.parametrize("name", sorted(samples()))
def test_too_few_identities_are_refused_with_the_fewest_there_can_be(tmp_path: Path, name: str) -> None:
    minimum = samples()[name].minimum
    with pytest.raises(UsageError, match=f"between {minimum} and .* not {minimum - 1}"):
        write_sample(name, tmp_path / "out", identities=minimum - 1)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_name_option_or_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no sample of 'nowhere'; there are .*tinyface"):
        write_sample("nowhere", tmp_path / "out")
    with pytest.raises(UsageError, match="has no option release; its options: none"):
        write_sample("tinyface", tmp_path / "out", options={"release": "A"})
    with pytest.raises(UsageError, match="seed of a sample must be between"):
        write_sample("tinyface", tmp_path / "out", seed=-1)
    with pytest.raises(UsageError, match="No painter 'monet'; there are"):
        painter("monet")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0

    def full(path: Path, data: bytes) -> int:
        nonlocal written
        written += 1
        if written > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(path, data)

    original = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="No space left on device.*Nothing was left behind"):
        write_sample("tinyface", tmp_path / "out", identities=3)
    assert written == 6 and list(tmp_path.iterdir()) == []


def test_an_interrupted_sample_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupted(looks: Sequence[Look]) -> list[ByteImages]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample("tinyface", tmp_path / "out", identities=3, paint=interrupted)
    assert list(tmp_path.iterdir()) == []


def test_a_painter_that_breaks_its_contract_is_named(tmp_path: Path) -> None:
    def short(looks: Sequence[Look]) -> list[ByteImages]:
        return Cartoon()(looks)[1:]

    def floats(looks: Sequence[Look]) -> list[ByteImages]:
        return [np.zeros((look.size, look.size, 3), np.float32) for look in looks]  # type: ignore[misc]

    with pytest.raises(ContractError, match="Painter short returned .* expected one each"):
        write_sample("tinyface", tmp_path / "out", identities=3, paint=short)
    with pytest.raises(ContractError, match="Painter floats returned float32"):
        write_sample("tinyface", tmp_path / "out", identities=3, paint=floats)
    assert list(tmp_path.iterdir()) == []


def test_a_protocol_names_the_writer_of_its_sample_and_is_requested_it(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {entry.name: entry.factory for entry in PROTOCOLS}
    for name, sample in samples().items():
        assert sample == named[name].sample_writer()  # type: ignore[attr-defined]
        room = named[name].__module__.rpartition(".")[0]  # type: ignore[attr-defined]
        assert sample.write.__module__ == f"{room}.sample"
    monkeypatch.setattr(TinyFace, "sample_writer", classmethod(lambda cls: None))
    assert "tinyface" not in samples()
    with pytest.raises(MissingError, match="no sample of tinyface"):
        TinyFace().write_sample(Path("never"))
