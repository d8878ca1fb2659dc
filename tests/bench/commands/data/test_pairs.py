"""``bench data pairs``: groups by default, without recognisers only with a warning or when asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.commands.data import photograph_sets
from bench.errors import MissingError
from bench.faces.pairs.pack import Pack
from bench.faces.people.model import People
from bench.images import encode_png

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three drawn people, each in a folder; the first has two equal files."""
    for number, person in enumerate("abc"):
        photo = People().photograph(number, "neutral", 1.0)[0]
        (tmp_path / "in" / person).mkdir(parents=True)
        for copy in range(2 if person == "a" else 1):
            (tmp_path / "in" / person / f"{person}{copy}.png").write_bytes(encode_png(photo))
    return tmp_path / "in"


def pairs(bench: Bench, folder: Path, *more: object) -> tuple[int, str, str]:
    return bench("data", "pairs", folder, "--out", folder.parent / "out.npz", "--heatmaps", "engine", *more)


def test_absent_recognisers_are_warned_of_and_recorded(
    bench: Bench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> None:
        raise MissingError("Recogniser dlib needs a package.\nMore.")

    monkeypatch.setattr(photograph_sets, "grouping_recognisers", absent)
    code, out, err = pairs(bench, folder)
    assert code == 0 and "joined by bytes: 1 pairs" in out
    assert "warning: photographs are grouped by bytes and perceptual hash alone" in err
    assert "Recogniser dlib needs a package." in err
    result = Pack(folder.parent / "out.npz")
    assert result.groups is not None and result.groups.record["rules"] == ["bytes", "phash"]
    code, _, err = pairs(bench, folder, "--group-by", "recognisers")
    assert code == 3 and "Recogniser dlib needs a package." in err
    code, _, err = pairs(bench, folder, "--group-by", "bytes,phash")
    assert code == 0 and "warning" not in err


def test_identities_parts_and_excluded_folders_are_taken(bench: Bench, folder: Path) -> None:
    partition = folder.parent / "list_eval_partition.txt"
    partition.write_text("a0.png 0\na1.png 0\nb0.png 2\nc0.png 0\n")
    given = ("--group-by", "bytes", "--identities", "folder", "--partition", partition, "--exclude", folder / "c")
    code, out, err = pairs(bench, folder, *given)
    assert code == 0, err
    result = Pack(folder.parent / "out.npz")
    assert result.groups is not None and result.groups.identity.tolist() == ["a", "a", "b", "c"]
    assert result.part.tolist() == ["train", "train", "sealed", "excluded"]
    assert "3 identity labels" in out and f"near {folder / 'c'} (1 photographs): 1" in out
    # that pack is a set to stay away from too
    (folder.parent / "out.npz").rename(folder.parent / "test.npz")
    code, out, err = pairs(bench, folder / "c", "--group-by", "bytes", "--exclude", folder.parent / "test.npz")
    assert code == 0 and Pack(folder / "out.npz").part.tolist() == ["excluded"]


def test_recognisers_join_two_photographs_of_a_person(bench: Bench, folder: Path) -> None:
    try:
        photograph_sets.grouping_recognisers()
    except MissingError as error:
        pytest.skip(str(error))
    code, out, err = pairs(bench, folder)
    assert code == 0 and "warning" not in err
    result = Pack(folder.parent / "out.npz")
    assert result.groups is not None and result.groups.record["pairs"]["recognisers"] >= 1
    assert all(np.isfinite(rows).all() and len(rows) == 4 for rows in result.described().embeddings.values())


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--group-by", "faces"), 2, "grouped by bytes, phash, recognisers, not by faces"),
        (("--group-by", ""), 2, "not by nothing"),
        (("--group-by", "bytes", "--identities", "nowhere.txt"), 1, "nowhere.txt"),
        (("--group-by", "bytes", "--exclude", "nowhere"), 1, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_reported_before_anything_is_written(
    bench: Bench, folder: Path, more: tuple[str, ...], code: int, message: str
) -> None:
    ended, _, err = pairs(bench, folder, *more)
    assert ended == code and message in err and not (folder.parent / "out.npz").exists()
