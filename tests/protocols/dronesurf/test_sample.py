"""The DroneSURF sample against what is known of real copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.errors import DataError, MissingError
from protocols.sample import SampleSummary
from protocols.sample.video import write_mp4

Drone = tuple[Path, SampleSummary]


@pytest.fixture(scope="module")
def drone(sample: Callable[..., Drone]) -> Drone:
    return sample("dronesurf", identities=5)


def frames(path: Path) -> list[np.ndarray]:
    reader, result = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = reader.read()
        if not there:
            return result
        result.append(frame)


def videos(root: Path) -> list[Path]:
    return sorted(root.rglob("*.mp4"))


def test_a_video_lies_by_scenario_time_place_and_people(drone: Drone) -> None:
    root, summary = drone
    scenarios: list[str] = []
    for path in videos(root):
        kind, time, place, people, _ = path.relative_to(root).parts
        assert re.search("Tracking|Activity", kind) and place[-1].isdigit() and time in ("Morning", "Evening")
        scenarios.append(re.sub("Tracking|Activity", "", kind).lower())
        ids = [int(one) for one in people.split(",")]
        assert all(1 <= one <= 5 for one in ids) and len(set(ids)) == len(ids)
        inner = sorted(child.name for child in (path.parent / path.stem).iterdir())
        assert inner == sorted(f"Person{one}" for one in ids)
        assert (len(ids) == 1) == (scenarios[-1] == "active")
    assert (scenarios.count("active"), scenarios.count("passive")) == (10, 4)
    assert summary.counts["videos"] == 14 and summary.counts["frames"] == 14 * 12


def test_each_line_has_five_tokens_whose_integers_are_a_frame_and_two_corners(drone: Drone) -> None:
    root, summary = drone
    spellings, boxes = set(), 0
    for path in sorted(root.rglob("coordinates.txt")):
        lines = path.read_text().splitlines()
        assert len(lines) == 12
        for number, line in enumerate(lines, start=1):
            assert len(line.split(" ")) == 5
            frame, x1, y1, x2, y2 = (int(result) for result in re.findall(r"\d+", line))
            assert frame == number and 0 <= x1 < x2 < 640 and 0 <= y1 < y2 < 360
            assert 12 <= y2 - y1 <= 46
            boxes += 1
        spellings.add(re.sub(r"\d+", "#", lines[0]))
    assert spellings == {"# # # # #", "Frame#, (#, #) (#, #)", "frame# [#, #, #, #]"}
    assert boxes == summary.counts["boxes"]


def test_videos_hold_a_frame_a_line_and_something_stands_in_each_box(drone: Drone) -> None:
    root, _ = drone
    contrast = []
    for path in videos(root):
        shown = frames(path)
        assert len(shown) == 12 and shown[0].shape == (360, 640, 3)
        for lines in sorted((path.parent / path.stem).rglob("coordinates.txt")):
            _, x1, y1, x2, y2 = (int(result) for result in re.findall(r"\d+", lines.read_text().splitlines()[6]))
            inside = shown[6][y1:y2, x1:x2].astype(float)
            strip = shown[6][:20].astype(float)  # nobody stands that high
            contrast.append(inside.std() / strip.std())
    assert np.mean([value > 2 for value in contrast]) > 0.8


def test_each_subject_has_four_sharp_gallery_images(drone: Drone) -> None:
    root, _ = drone
    folders = sorted((root / "HR Gallery").iterdir())
    assert [folder.name for folder in folders] == ["1", "2", "3", "4", "5"]
    for folder in folders:
        assert sorted(path.name for path in folder.iterdir()) == ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
        with Image.open(folder / "1.jpg") as image:
            assert image.size == (320, 320)


def test_training_and_test_share_nobody_in_split_or_video(drone: Drone) -> None:
    root, summary = drone
    rows = [line.split(",") for line in (root / "train_test_split.csv").read_text().splitlines()]
    assert rows[0] == ["subject", "part"]
    part = {int(subject): name for subject, name in rows[1:]}
    assert sorted(part) == [1, 2, 3, 4, 5]
    assert list(part.values()).count("train") == summary.counts["training subjects"] == 3  # 5 x 34 / 58 = 2.9
    for path in videos(root):
        assert len({part[int(one)] for one in path.parent.name.split(",")}) == 1


def test_a_video_that_is_not_whole_afterwards_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still = np.zeros((64, 64, 3), np.uint8)
    monkeypatch.setattr("protocols.sample.video._count", lambda path: 2)
    with pytest.raises(DataError, match="a.mp4 holds 2 of 3 frames.*disk full"):
        write_mp4(tmp_path / "a.mp4", [still] * 3, per_second=24)


def test_an_opencv_without_the_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2.VideoWriter, "fourcc", staticmethod(lambda *code: 0x7A7A7A7A))
    with pytest.raises(MissingError, match="cannot write MPEG-4 video: install opencv-python-headless"):
        write_mp4(tmp_path / "a.mp4", [np.zeros((64, 64, 3), np.uint8)], per_second=24)
