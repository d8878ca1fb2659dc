"""``bench data init``: from a folder of pictures to a table that the protocol csv reads."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from bench.images import encode_png
from protocols.owndata.protocol import Csv, Folder

Bench = Callable[..., tuple[int, str, str]]


def written(root: Path, names: Iterable[str]) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(np.full((8, 8, 3), number, np.uint8)))
    return root


def rows(root: Path) -> list[tuple[str, ...]]:
    with (root / "faces.csv").open(encoding="utf-8") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def test_folders_gallery_and_probe_give_the_study_of_the_protocol_folder(bench: Bench, tmp_path: Path) -> None:
    names = ["gallery/a, b/1.png", "gallery/Zoë/1.png", "probe/a, b/x y.png", "probe/Zoë/1.png", "distractor/1.png"]
    root = written(tmp_path / "own", names)
    code, out, _ = bench("data", "init", root)
    assert code == 0 and "Rule: the folders gallery and probe give the roles." in out
    assert "gallery: 2 pictures of 2 people" in out and "distractor: 1 pictures\n" in out
    assert Csv().read(Csv().locate(root)) == Folder().read(root)
    assert bench("data", "check", "csv", root)[0] == 0


def test_each_folder_is_a_person_and_the_first_pictures_are_enrolled(bench: Bench, tmp_path: Path) -> None:
    root = written(tmp_path / "own", ["a/1.png", "a/2.png", "a/3.png", "b/1.png"])
    assert bench("data", "init", root, "--enrol", 2)[0] == 0
    assert rows(root) == [
        ("a/1.png", "a", "gallery"),
        ("a/2.png", "a", "gallery"),
        ("a/3.png", "a", "probe"),
        ("b/1.png", "b", "gallery"),
    ]


@pytest.mark.parametrize(
    ("names", "people"),
    [
        (["ann_01.png", "ann_02.png", "bob_01.png"], ["ann", "ann", "bob"]),
        (["ann lee (1).png", "ann lee (2).png", "bob-7.png"], ["ann lee", "ann lee", "bob"]),
        (["0001_c1.png", "0001_c2.png", "0002_c1.png"], ["0001", "0001", "0002"]),
        (["S1.a.1.png", "S1.a.2.png", "S2.a.1.png"], ["S1.a", "S1.a", "S2.a"]),
    ],
)
def test_people_are_read_from_names_with_numbers(
    bench: Bench, tmp_path: Path, names: list[str], people: list[str]
) -> None:
    root = written(tmp_path / "own", [*names, "logo.png"])
    code, out, _ = bench("data", "init", root)
    assert code == 0 and "1 pictures have no number after a name ('logo.png'...)" in out
    roles = ["gallery", "probe", "gallery"]
    assert rows(root) == list(zip(names, people, roles, strict=True))


def test_a_table_is_shown_only_and_never_replaced_unasked(bench: Bench, tmp_path: Path) -> None:
    root = written(tmp_path / "own", ["a/1.png", "a/2.png", "b/1.png"])
    code, out, _ = bench("data", "init", root, "--dry-run")
    assert code == 0 and "path,identity,role\n    a/1.png,a,gallery" in out and not (root / "faces.csv").exists()
    (root / "faces.csv").write_text("mine")
    code, _, err = bench("data", "init", root)
    assert code == 2 and "--overwrite replaces it" in err and (root / "faces.csv").read_text() == "mine"
    assert bench("data", "init", root, "--overwrite")[0] == 0 and len(rows(root)) == 3


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "holds no picture"),
        (["a/1.png", "b/1.png"], "gallery: 2 pictures of 2 people, and a search needs two people"),
        (["a/1.png", "a/2.png"], "Put the pictures of each person into a folder"),
        (["a/1.png", "a/2.png", "b/1.png", "loose.png"], "1 pictures in no folder of a person (loose.png)"),
    ],
)
def test_a_folder_that_no_rule_fits_is_refused(bench: Bench, tmp_path: Path, names: list[str], message: str) -> None:
    root = written(tmp_path / "own", names)
    root.mkdir(exist_ok=True)
    code, _, err = bench("data", "init", root)
    assert code == 1 and message in err and not (root / "faces.csv").exists()
    assert bench("data", "init", root / "none")[0] == 3
    assert bench("data", "init", root, "--enrol", 0)[0] == 2
