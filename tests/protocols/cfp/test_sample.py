"""The CFP sample against the facts of the official release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from protocols.sample import SampleSummary

Sample = tuple[Path, SampleSummary]


@pytest.fixture(scope="module")
def cfp(sample: Callable[..., Sample]) -> Sample:
    return sample("cfp", identities=21)


def test_each_person_has_ten_frontal_and_four_profile_photographs_with_thirty_points_each(cfp: Sample) -> None:
    root, summary = cfp
    images = sorted(str(path.relative_to(root / "Data" / "Images")) for path in root.rglob("*.jpg"))
    assert images == sorted(
        f"{person:03d}/{view}/{number:02d}.jpg"
        for person in range(1, 22)
        for view, count in (("frontal", 10), ("profile", 4))
        for number in range(1, count + 1)
    )
    assert len(images) == summary.images == 14 * 21
    for name in images[::9]:
        lines = (root / "Data" / "Fiducials" / name).with_suffix(".txt").read_text().splitlines()
        assert len([tuple(map(float, line.split(","))) for line in lines]) == 30
        assert Image.open(root / "Data" / "Images" / name).mode == "RGB"
    assert len((root / "Data" / "list_name.txt").read_text().splitlines()) == 21


def test_pairs_follow_the_subject_rule_and_folds_have_their_own_people(cfp: Sample) -> None:
    """Subject = ceil(a / 10) in the list of frontal images and ceil(b / 4) in that of profile ones."""
    root, _ = cfp
    lists = {}
    for letter, count in (("F", 210), ("P", 84)):
        lines = (root / "Protocol" / f"Pair_list_{letter}.txt").read_text().splitlines()
        assert [line.split()[0] for line in lines] == [str(number) for number in range(1, count + 1)]
        lists[letter] = [(root / "Protocol" / line.split()[1]).resolve() for line in lines]
        assert all(path.is_file() for path in lists[letter])
    for name, second, per in (("FF", "F", 10), ("FP", "P", 4)):
        people: list[set[int]] = []
        for fold in range(1, 11):
            subjects_of_fold: set[int] = set()
            for kind in ("same", "diff"):
                path = root / "Protocol" / "Split" / name / f"{fold:02d}" / f"{kind}.txt"
                pairs = [tuple(map(int, line.split(","))) for line in path.read_text().splitlines()]
                assert len(pairs) == len(set(pairs)) == 14
                for a, b in pairs:
                    one, other = -(-a // 10), -(-b // per)
                    assert (one == other) == (kind == "same")
                    assert lists["F"][a - 1].parts[-3] == f"{one:03d}"
                    assert lists[second][b - 1].parts[-3] == f"{other:03d}"
                    subjects_of_fold |= {one, other}
            people.append(subjects_of_fold)
        assert sum(map(len, people)) == len(set().union(*people))


def test_profiles_are_turned_to_either_side(cfp: Sample) -> None:
    import numpy as np

    from protocols.cfp.sample import _look, _Photograph  # what is drawn, without looking at pictures

    rng = np.random.default_rng(0)
    yaws = [_look(3, _Photograph(1, "profile", 1), rng).yaw_deg for _ in range(40)]
    assert min(map(abs, yaws)) >= 75 and min(yaws) < 0 < max(yaws)
    frontal = [_look(3, _Photograph(1, "frontal", 1), rng).yaw_deg for _ in range(40)]
    assert max(map(abs, frontal)) < 40
