"""The CelebA sample against the facts of the official release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from protocols.celeba.sample import ATTRIBUTES
from protocols.sample import SampleSummary

Celeba = tuple[Path, SampleSummary]


@pytest.fixture(scope="module")
def celeba(sample: Callable[..., Celeba]) -> Celeba:
    return sample("celeba", identities=6)


def lines(root: Path, name: str) -> list[list[str]]:
    return [line.split() for line in (root / name).read_text().splitlines()]


def test_the_files_are_the_official_ones(celeba: Celeba) -> None:
    root, _ = celeba
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert {name for name in files if not name.endswith(".jpg")} == {
        "Anno/identity_CelebA.txt",
        "Anno/list_attr_celeba.txt",
        "Anno/list_bbox_celeba.txt",
        "Anno/list_landmarks_align_celeba.txt",
        "Anno/list_landmarks_celeba.txt",
        "Eval/list_eval_partition.txt",
        "SAMPLE.txt",
        "sample.json",
    }


def test_images_are_numbered_from_one_and_measure_178_by_218(celeba: Celeba) -> None:
    root, summary = celeba
    images = sorted((root / "Img" / "img_align_celeba").iterdir())
    assert [path.name for path in images] == [f"{n:06d}.jpg" for n in range(1, summary.images + 1)]
    for path in images:
        with Image.open(path) as image:
            assert (image.format, image.size) == ("JPEG", (178, 218))


def test_every_list_has_a_row_an_image_and_its_header(celeba: Celeba) -> None:
    root, summary = celeba
    names = [f"{n:06d}.jpg" for n in range(1, summary.images + 1)]
    for name in ("Anno/identity_CelebA.txt", "Eval/list_eval_partition.txt"):
        rows = lines(root, name)
        assert [row[0] for row in rows] == names and all(len(row) == 2 for row in rows)
    points = (
        "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
    ).split()
    for name, header in (
        ("list_landmarks_align_celeba.txt", points),
        ("list_landmarks_celeba.txt", points),
        ("list_attr_celeba.txt", ATTRIBUTES),
        ("list_bbox_celeba.txt", ["image_id", "x_1", "y_1", "width", "height"]),
    ):
        rows = lines(root, f"Anno/{name}")
        assert rows[0] == [str(len(names))] and rows[1] == list(header)
        assert [row[0] for row in rows[2:]] == names
        width = len(header) + (header[0] != "image_id")
        assert all(len(row) == width for row in rows[2:])


def test_there_are_forty_attributes_of_minus_one_or_one(celeba: Celeba) -> None:
    root, _ = celeba
    assert len(ATTRIBUTES) == len(set(ATTRIBUTES)) == 40
    rows = lines(root, "Anno/list_attr_celeba.txt")[2:]
    assert {value for row in rows for value in row[1:]} == {"-1", "1"}


def test_the_partition_runs_by_position_and_shares_no_identity(celeba: Celeba) -> None:
    root, summary = celeba
    parts = [int(row[1]) for row in lines(root, "Eval/list_eval_partition.txt")]
    assert parts == sorted(parts)
    assert [parts.count(n) for n in range(3)] == [summary.counts[k] for k in ("train", "validation", "test")]
    owners = [int(row[1]) for row in lines(root, "Anno/identity_CelebA.txt")]
    people = [{owner for owner, part in zip(owners, parts, strict=True) if part == n} for n in range(3)]
    assert [len(group) for group in people] == [4, 1, 1]
    assert len(set.union(*people)) == 6 and all(1 <= owner <= 10_177 for owner in owners)


def test_landmarks_stand_where_official_ones_do(celeba: Celeba) -> None:
    root, _ = celeba
    rows = lines(root, "Anno/list_landmarks_align_celeba.txt")[2:]
    points = np.array([row[1:] for row in rows], int).reshape(-1, 5, 2)
    assert (points >= 0).all() and (points < (178, 218)).all()
    eyes, mouths = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
    assert np.abs(eyes - (88.5, 111.5)).max() <= 2 and np.abs(mouths[:, 1] - 153).max() <= 4
    assert (points[:, 0, 0] < points[:, 1, 0]).all() and (points[:, 3, 0] < points[:, 4, 0]).all()


def test_an_eye_is_white_and_dark_where_its_landmark_says(celeba: Celeba) -> None:
    root, _ = celeba
    rows = lines(root, "Anno/list_landmarks_align_celeba.txt")[2:]
    spread = []
    for row in rows:
        pixels = np.asarray(Image.open(root / "Img" / "img_align_celeba" / row[0]).convert("L"), int)
        x, y = int(row[1]), int(row[2])
        eye, brow = pixels[y - 3 : y + 4, x - 6 : x + 7], pixels[y + 8 : y + 15, x - 6 : x + 7]
        spread.append((np.ptp(eye), np.ptp(brow)))
    assert np.mean([eye > 1.5 * skin for eye, skin in spread]) > 0.8
