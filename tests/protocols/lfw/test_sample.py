"""The LFW sample against the facts of the official release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bench.errors import UsageError
from protocols.lfw.sample import FOLDER
from protocols.sample import SampleSummary, write_sample

Sample = tuple[Path, SampleSummary]


@pytest.fixture(scope="module")
def lfw(sample: Callable[..., Sample]) -> Sample:
    return sample("lfw", identities=21)


def rows(root: Path, name: str) -> list[list[str]]:
    return [line.split("\t") for line in (root / name).read_text().splitlines()]


def counts(root: Path) -> dict[str, int]:
    return {folder.name: len(list(folder.iterdir())) for folder in (root / FOLDER).iterdir()}


def test_photographs_are_named_after_their_folders_and_measure_250_pixels(lfw: Sample) -> None:
    root, summary = lfw
    for person, count in counts(root).items():
        names = sorted(path.name for path in (root / FOLDER / person).iterdir())
        assert names == [f"{person}_{number:04d}.jpg" for number in range(1, count + 1)]
    paths = list((root / FOLDER).rglob("*.jpg"))
    assert len(paths) == summary.images
    assert {Image.open(path).size for path in paths} == {(250, 250)}
    assert sorted(counts(root).values())[:5] == [1] * 5 and sorted(counts(root).values())[5] >= 2


def test_pairs_are_ten_folds_of_disjoint_people(lfw: Sample) -> None:
    root, summary = lfw
    (folds, each), *pairs = rows(root, "pairs.txt")
    assert (folds, len(pairs)) == ("10", 20 * int(each)) and len(pairs) == summary.counts["pairs"]
    people = counts(root)
    seen: list[set[str]] = []
    for fold in range(10):
        pairs_of_fold = pairs[2 * int(each) * fold :][: 2 * int(each)]
        same, different = pairs_of_fold[: int(each)], pairs_of_fold[int(each) :]
        assert {len(row) for row in same} == {3} and {len(row) for row in different} == {4}
        assert all(0 < int(i) < int(j) <= people[name] for name, i, j in same)
        assert all(one != two and int(i) <= people[one] and int(j) <= people[two] for one, i, two, j in different)
        seen.append({row[0] for row in pairs_of_fold} | {row[2] for row in different})
    assert len(set().union(*seen)) == sum(map(len, seen))


def test_view_1_tests_other_people_than_it_trains_on(lfw: Sample) -> None:
    root, _ = lfw
    names = {}
    for view in ("Train", "Test"):
        (number,), *pairs = rows(root, f"pairsDev{view}.txt")
        assert [len(row) for row in pairs] == [3] * int(number) + [4] * int(number)
        (many,), *people = rows(root, f"peopleDev{view}.txt")
        names[view] = {name for name, _ in people}
        assert len(people) == int(many) and {row[0] for row in pairs} <= names[view]
    assert not names["Train"] & names["Test"]
    assert dict(rows(root, "lfw-names.txt")) == {name: str(count) for name, count in counts(root).items()}


def test_people_are_dealt_to_ten_sets(lfw: Sample) -> None:
    root, summary = lfw
    (sets,), *lines = rows(root, "people.txt")
    dealt, names = int(sets), []
    while lines:
        (size,), *lines = lines
        names += [name for name, _ in lines[: int(size)]]
        lines, dealt = lines[int(size) :], dealt - 1
    assert dealt == 0 and len(names) == len(set(names)) == summary.counts["people"]


def test_fewer_people_than_fill_ten_folds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="between 20 and"):
        write_sample("lfw", tmp_path / "out", identities=19)
