"""Faces found once and kept by the bytes of each photograph; how they are cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.align import template
from bench.align.chips import chip_by_points
from bench.align.landmarks import GivenLandmarks
from bench.align.templates import ARCFACE_112
from bench.errors import DataError, UsageError
from bench.images import ByteImages, encode_png, resize
from bench.media.crop import cut_out
from bench.types import Points
from protocols.views.detected import FACES, Detector, Finder, Framing, detect_faces, detection_notes, lr_side

POINTS: Points = ((10.0, 12.0), (30.0, 11.0), (20.0, 22.0), (13.0, 31.0), (28.0, 30.0))


class Eye:
    """A finder that counts its looks; it sees no face in a dark photograph."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, detector: Detector) -> Finder:
        def look(image: ByteImages) -> Points | None:
            self.looks += 1
            return POINTS if image.mean() > 20 else None

        return look


@pytest.fixture
def eye() -> Eye:
    return Eye()


@pytest.fixture
def find(tmp_path: Path, eye: Eye) -> Callable[..., dict[Path, Points | None]]:
    def run(files: list[Path], engine: str = "a" * 20) -> dict[Path, Points | None]:
        return detect_faces(files, tmp_path / "scratch", finder=eye, engine=lambda detector: engine)

    return run


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        path.write_bytes(encode_png(rng.integers(60, 255, (48, 40, 3), np.uint8)))
    paths[1].write_bytes(encode_png(np.zeros((48, 40, 3), np.uint8)))
    return paths


def test_a_photograph_is_looked_at_once_whatever_its_name(
    find: Callable[..., dict[Path, Points | None]], files: list[Path], eye: Eye, tmp_path: Path
) -> None:
    assert find([*files, files[0]]) == {files[0]: POINTS, files[1]: None, files[2]: POINTS}
    assert eye.looks == 3
    copy = tmp_path / "copy.png"
    copy.write_bytes(files[0].read_bytes())
    assert find([copy, files[1]]) == {copy: POINTS, files[1]: None}
    assert eye.looks == 3
    files[0].write_bytes(encode_png(np.full((9, 9, 3), 77, np.uint8)))
    find(files)
    assert eye.looks == 4
    find(files, engine="b" * 20)
    assert eye.looks == 7


def test_a_search_that_broke_off_goes_on_and_damaged_lines_are_looked_for_again(
    find: Callable[..., dict[Path, Points | None]], files: list[Path], eye: Eye, tmp_path: Path
) -> None:
    find(files)
    (kept,) = (tmp_path / "scratch").iterdir()
    first, second, third = [line for line in kept.read_text().splitlines() if line]
    short = json.loads(second) | {"points": [[1, 2]]}
    kept.write_text(f"{first}\n{json.dumps(short)}\n{third[:-20]}")
    assert find(files) == {files[0]: POINTS, files[1]: None, files[2]: POINTS}
    assert eye.looks == 5
    assert find(files) and eye.looks == 5


def test_files_that_cannot_be_read_have_no_entry_and_are_no_missing_faces(
    find: Callable[..., dict[Path, Points | None]], files: list[Path], tmp_path: Path
) -> None:
    files[0].write_bytes(b"")
    files[2].write_bytes(files[2].read_bytes()[:60])
    result = find([*files, tmp_path / "absent.png"])
    assert result == {files[1]: None}
    assert detection_notes([*files, tmp_path / "absent.png"], result) == [
        "No face was detected in 1 of 4 photographs (b.png...); they are used uncropped."
    ]
    assert detection_notes(files, {files[0]: POINTS}) == []


def test_a_scratch_folder_that_cannot_be_written_is_reported(files: list[Path], eye: Eye, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Cannot store points"):
        detect_faces(files, tmp_path / "file" / "scratch", finder=eye, engine=lambda detector: "a")


def test_each_detector_keeps_its_points_in_a_file_of_its_own(files: list[Path], tmp_path: Path) -> None:
    """Points are the detector's: those of MTCNN must not serve a run that asks for YuNet."""
    moved = {"mtcnn": POINTS, "yunet": POINTS[::-1]}
    for detector in ("mtcnn", "yunet", "mtcnn"):
        result = detect_faces(
            files[:1],
            tmp_path / "scratch",
            detector=detector,
            finder=lambda name: lambda image: moved[name],
            engine=lambda name: "same",
        )
        assert result == {files[0]: moved[detector]}
    assert {path.name for path in (tmp_path / "scratch").iterdir()} == {"mtcnn-same.jsonl", "yunet-same.jsonl"}


@pytest.mark.parametrize("detector", ["mtcnn", "yunet"])
def test_points_are_those_of_the_aligner_of_that_name(detector: Detector, tmp_path: Path) -> None:
    from bench.interfaces import ALIGNERS

    if ALIGNERS[detector].missing and ALIGNERS[detector].missing():
        pytest.skip(f"{detector} has no weights here")
    data = pytest.importorskip("skimage.data")
    try:
        portrait = np.ascontiguousarray(data.astronaut()[20:220, 125:325])
    except Exception as error:
        pytest.skip(f"scikit-image's portrait is not here: {error}")
    path = tmp_path / "portrait.png"
    path.write_bytes(encode_png(portrait))
    result = detect_faces([path], tmp_path / "scratch", detector=detector)
    assert result == {path: ALIGNERS[detector].create({}).find([portrait])[0]}
    (kept,) = (tmp_path / "scratch").iterdir()
    assert kept.name.startswith(f"{detector}-")


def test_the_frame_is_the_one_that_hallucinators_are_trained_in() -> None:
    fractions = np.array(template.FRAMES["utkface200"])
    assert np.allclose(FACES["frame"].points, fractions * 128 - 0.5)
    assert FACES["recogniser"] == ARCFACE_112


def test_a_cut_face_shrunk_is_the_chip_shrunk_and_its_points_are_the_template_s(files: list[Path]) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 255, (48, 40, 3), np.uint8)
    chip, _ = chip_by_points(image, POINTS, ARCFACE_112, without="")
    framing = Framing("recogniser", 16)
    cut, landmarks = framing.cut(POINTS, lr=True)
    assert cut is not None and np.array_equal(cut_out(image, cut), resize(chip, 16, 16))
    assert landmarks is not None and np.allclose(landmarks, (np.array(ARCFACE_112.points) + 0.5) / 7 - 0.5)
    whole, landmarks = framing.cut(POINTS, lr=False)
    assert whole is not None and np.array_equal(cut_out(image, whole), chip)
    aligned, _ = GivenLandmarks().align([chip], [landmarks], ARCFACE_112)
    assert np.array_equal(aligned[0], chip)


def test_without_points_the_photograph_is_taken_whole() -> None:
    cut, landmarks = Framing("frame", 16).cut(None, lr=True)
    assert cut is not None and (cut.points, cut.box, cut.side, landmarks) == (None, None, 16, None)
    assert Framing("frame", 16).cut(None, lr=False) == (None, None)
    assert Framing("frame", None).cut(None, lr=True) == (None, None)


@pytest.mark.parametrize("lr", [-1, 7, 129])
def test_a_size_that_makes_no_lr_face_is_refused(lr: int) -> None:
    with pytest.raises(UsageError, match="expected 8 to 128"):
        lr_side("lfw", lr)
    assert lr_side("lfw", 0) is None and lr_side("lfw", None) is None and lr_side("lfw", 16) == 16
