"""The Multi-PIE sample against the facts of the official release."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from bench.errors import UsageError
from protocols.multipie.sample import CAMERAS, SURVEILLANCE, lamp, write
from protocols.multipie.sample import _shots as shots_of
from protocols.sample import SampleSummary, write_sample

NAME = re.compile(
    r"data/session(?P<x>0[1-4])/multiview/(?P<s>\d{3})/(?P<r>0[1-3])/(?P<c>\d\d_[01])/(?P=s)_(?P=x)_(?P=r)_"
    r"(?P<f>\d{3})_(?P<l>\d\d)\.png"
)
Pie = tuple[Path, SampleSummary]


@pytest.fixture(scope="module")
def pie(sample: Callable[..., Pie]) -> Pie:
    return sample("multipie", identities=4)


def shots(root: Path) -> list[dict[str, str]]:
    result = [NAME.fullmatch(path.relative_to(root).as_posix()) for path in sorted(root.rglob("*.png"))]
    assert all(result)
    return [match.groupdict() for match in result if match]


def test_folder_and_file_name_the_same_shot(pie: Pie) -> None:
    root, summary = pie
    result = shots(root)
    assert len(result) == summary.images
    cameras = {shot["c"] for shot in result}
    assert len(cameras) == 15 and {"08_1", "19_1", "05_1"} <= cameras
    assert all(shot["f"] == shot["c"].replace("_", "") for shot in result)
    assert {shot["l"] for shot in result} == {f"{n:02d}" for n in range(20)}


def test_recordings_are_those_of_the_table(pie: Pie) -> None:
    result = {(shot["x"], shot["r"]) for shot in shots(pie[0])}
    assert result == {
        ("01", "01"), ("01", "02"),
        ("02", "01"), ("02", "02"), ("02", "03"),
        ("03", "01"), ("03", "02"), ("03", "03"),
        ("04", "01"), ("04", "02"), ("04", "03"),
    }  # fmt: skip


def test_each_subject_has_what_the_two_usual_settings_compare(pie: Pie) -> None:
    root, _ = pie
    result = shots(root)
    subjects = {shot["s"] for shot in result}
    assert subjects == {"001", "002", "201", "202"}  # training and test of both settings
    names = {(shot["s"], shot["x"], shot["r"], shot["c"], shot["l"]) for shot in result}
    neutral = [("01", "01"), ("02", "01"), ("03", "01"), ("04", "01"), ("04", "02")]
    for subject in subjects:
        for session, recording in neutral:
            for camera in CAMERAS:
                assert (subject, session, recording, camera, "07") in names
        assert (subject, "01", "01", "05_1", "06") in names
        assert sum(n[0] == subject and n[1:4] == ("01", "01", "05_1") for n in names) == 20


def test_the_subject_list_has_seven_fields_and_true_flags(pie: Pie) -> None:
    root, _ = pie
    rows = [line.split(" ") for line in (root / "meta" / "subject_list.txt").read_text().splitlines()]
    assert [row[0] for row in rows] == ["001", "002", "201", "202"]
    for row in rows:
        assert len(row) == 7 and 1900 < int(row[1]) < 2000 and row[2] in ("Male", "Female")
        present = [(root / "data" / f"session0{n}" / "multiview" / row[0]).is_dir() for n in range(1, 5)]
        assert [bool(int(flag)) for flag in row[3:]] == present


def test_images_are_png_of_one_size(pie: Pie) -> None:
    for path in sorted(pie[0].rglob("*.png"))[::40]:
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "RGB", (320, 240))


def test_everything_is_300_shots_a_recording() -> None:
    every = list(shots_of(1, 4, "all"))
    assert len(every) == len(set(every)) == 3 * 15 * 20
    assert CAMERAS["05_1"] == 0 and CAMERAS["24_0"] == 90 and CAMERAS["11_0"] == -90
    assert set(SURVEILLANCE) == {"08_1", "19_1"}


def test_lamps_run_from_left_to_right_and_the_two_without_flash_are_alike() -> None:
    assert lamp(0) == lamp(19) == 0
    assert [lamp(1), lamp(13), lamp(14), lamp(18)] == [1, 18, 1, 18]
    assert lamp(7) in (9, 10)  # in front
    assert [lamp(n) for n in range(1, 14)] == sorted(lamp(n) for n in range(1, 14))


def test_an_unknown_extent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shots is settings or all, not 'some'"):
        write_sample("multipie", tmp_path / "out", identities=4, options={"shots": "some"})
    assert write.__kwdefaults__["shots"] == "settings"
