"""Which pictures of a folder are truths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.errors import DataError
from bench.images import ByteImages, encode_png, resize
from protocols.restoration.picture_roles import bare_stem, find_truths, role_by_name

FACES = [draw_face(k, 0, 128) for k in range(4)]


def shrunk(face: ByteImages) -> ByteImages:
    return resize(face, 16, 16)


def blurred(face: ByteImages) -> ByteImages:
    return resize(shrunk(face), 128, 128)


def write(root: Path, pattern: str, change: Callable[[ByteImages], ByteImages] = lambda face: face) -> None:
    for number, face in enumerate(FACES):
        path = root / pattern.format(f"{number:04d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(change(face)))


def truths(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in find_truths(root, sorted(root.rglob("*.png"))).files]


@pytest.mark.parametrize(
    ("true", "small", "restored"),
    [
        ("HR/{}.png", "LR/{}x8.png", "SR/{}x8_out.png"),
        ("hr_128/{}.png", "lr_16/{}.png", "sr_16_128/{}.png"),
        ("gt/{}.png", "input/{}.png", "results/{}.png"),
        ("train_HR/{}.png", "train_LR_bicubic/X8/{}x8.png", "output/{}.png"),
        ("{}.png", "{}_LR.png", "{}_SR.png"),
        ("{}_HR.png", "{}x8.png", "{}_SR.png"),
        ("all/{}.png", "x8/{}.png", "all/{}_out.png"),
    ],
)
def test_truths_are_distinguished_from_lr_and_restored_versions(
    tmp_path: Path, true: str, small: str, restored: str
) -> None:
    for pattern, change in ((true, lambda face: face), (small, shrunk), (restored, blurred)):
        write(tmp_path, pattern, change)
    assert truths(tmp_path) == sorted(true.format(f"{k:04d}") for k in range(4))


def test_what_is_left_out_is_counted_and_named(tmp_path: Path) -> None:
    write(tmp_path, "HR/{}.png")
    write(tmp_path, "LR/{}x8.png", shrunk)
    notes = find_truths(tmp_path, sorted(tmp_path.rglob("*.png"))).notes()
    first = ", ".join(f"'LR/000{k}x8.png'" for k in range(3))
    assert notes == [f"4 images are LR versions by their names and are left out: {first}..."]


def test_of_two_sizes_of_the_same_pictures_the_smaller_are_no_truths_whatever_folders_are_called(
    tmp_path: Path,
) -> None:
    write(tmp_path, "a/{}.png", lambda face: resize(face, 72, 72))
    write(tmp_path, "b/{}.png")
    assert truths(tmp_path) == [f"b/{k:04d}.png" for k in range(4)]


def test_two_versions_of_one_size_that_cannot_be_distinguished_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "mine/{}.png", blurred)
    write(tmp_path, "photos/{}.png")
    with pytest.raises(DataError, match="mine and photos hold the same 4 images in two versions of one size"):
        truths(tmp_path)


def test_people_whose_pictures_bear_the_same_numbers_are_no_versions_of_each_other(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for person in ("ann", "bee"):
        write(tmp_path, f"{person}/{{}}.png", lambda face: rng.integers(0, 256, face.shape, np.uint8))
    assert len(truths(tmp_path)) == 8


def test_small_pictures_are_no_truths(tmp_path: Path) -> None:
    write(tmp_path, "a/{}.png", lambda face: resize(face, 63, 100))
    result = find_truths(tmp_path, sorted(tmp_path.rglob("*.png")))
    assert result.files == [] and "have less than 64 pixels a side" in result.left_out


@pytest.mark.parametrize(
    "name", ["Al_Lowe/1.png", "Tony_Blair/Tony_Blair_0001.png", "IMG_2034.png", "x.png", "person1/2.png"]
)
def test_usual_names_define_no_role(name: str) -> None:
    assert role_by_name(Path(name)) is None


def test_the_part_for_the_version_is_removed_from_a_stem() -> None:
    names = ("0001x8_out", "0001_LR", "LR_0001", "0001_x4", "0001", "0001_fake_B", "0001-SR", "0001_lr16")
    assert {bare_stem(name) for name in names} == {"0001"}
    assert bare_stem("x8") == "x8" and bare_stem("Tony_Blair_0001") == "Tony_Blair_0001"
