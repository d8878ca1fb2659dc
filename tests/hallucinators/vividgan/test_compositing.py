"""Faces put back among their surroundings: nothing moves, nothing is black, and the face is the hallucinated one."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import pytest
import torch

from bench.align.template import FRAMES, AnyFrame
from bench.align.templates import ARCFACE_112, DLIB_150, FACENET_160, SPHEREFACE_112X96
from bench.media.similarity import fit_similarity
from bench.types import FaceTemplate
from hallucinators.vividgan.compositing import composite

SIDE = 128
IDENTITY = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def smooth(seed: int, side: int) -> torch.Tensor:
    noise = np.random.default_rng(seed).random((8, 8, 3)).astype(np.float32)
    image = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return torch.from_numpy(image.transpose(2, 0, 1))[None]


def to_arcface() -> np.ndarray:
    """Pixels of a 128 square in the frame utkface200 to those of one in arcface112, worked out apart."""
    before, after = (np.array(FRAMES[name]) * SIDE - 0.5 for name in ("utkface200", "arcface112"))
    return fit_similarity(tuple(map(tuple, before)), tuple(map(tuple, after)))


def test_in_their_own_frame_faces_are_left_alone() -> None:
    face = smooth(0, SIDE)
    assert composite(face, smooth(1, 16), IDENTITY[None], "utkface200") is face


def test_the_face_is_where_a_warp_of_its_own_puts_it() -> None:
    face = smooth(0, SIDE)
    result = composite(face, torch.zeros(1, 3, 16, 16), IDENTITY[None], "arcface112")[0].permute(1, 2, 0).numpy()
    pixels = np.ascontiguousarray(face[0].permute(1, 2, 0).numpy())
    warped = cv2.warpAffine(pixels, to_arcface(), (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.pad(np.ones((100, 100), np.float32), 14), to_arcface(), (SIDE, SIDE)) > 0.999
    assert inside.sum() > 3000
    assert np.abs(result - warped)[inside].max() < 0.02
    assert not result[:4].any(), "beyond the face there is what surrounded it, here black"


@pytest.mark.parametrize(
    ("frame", "face"),
    [
        ("arcface112", ARCFACE_112),
        ("sphereface112x96", SPHEREFACE_112X96),
        ("dlib150", DLIB_150),
        ("facenet160", FACENET_160),
    ],
)
def test_the_whole_output_taken_as_a_chip_has_the_five_points_near_its_template(
    frame: AnyFrame, face: FaceTemplate
) -> None:
    frame_points = np.array(FRAMES["utkface200"]) * SIDE - 0.5
    y, x = np.mgrid[:SIDE, :SIDE]
    for (column, row), target in zip(frame_points, face.points, strict=True):
        spot = np.exp(-((x - column) ** 2 + (y - row) ** 2) / 18).astype(np.float32)
        inputs = torch.from_numpy(spot)[None, None].expand(1, 3, -1, -1)
        result = composite(inputs, torch.zeros(1, 3, 16, 16), IDENTITY[None], frame)[0, 0].numpy()
        chip = cv2.resize(result, (face.width, face.height), interpolation=cv2.INTER_AREA)
        rows, columns = np.mgrid[: face.height, : face.width]
        seen = np.array([(columns * chip).sum(), (rows * chip).sum()]) / chip.sum()
        assert np.linalg.norm(seen - target) < 6, (frame, seen, target)


def test_surroundings_are_the_lr_picture_where_the_similarity_has_it() -> None:
    turned = torch.tensor([[0.0, -0.8, 0.1], [0.8, 0.0, -0.05]])  # a quarter turn, smaller, shifted
    picture = smooth(2, 32)
    result = composite(torch.zeros(1, 3, SIDE, SIDE), picture, turned[None], "arcface112")[0]
    matrix = np.linalg.inv(np.vstack([to_arcface(), [0, 0, 1]]))
    enlarged = torch.nn.functional.interpolate(picture, (SIDE, SIDE), mode="bicubic").clamp(0, 1)[0]
    checked = 0
    for x, y in ((3, 5), (60, 2), (125, 40), (4, 100), (40, 3), (80, 6), (2, 60), (126, 90), (20, 9), (100, 4)):
        u, v = (matrix @ [x, y, 1])[:2]
        place = turned.numpy() @ [(u + 0.5) / 64 - 1, (v + 0.5) / 64 - 1, 1]
        column, row = (place + 1) * 64 - 0.5
        if max(abs((u + 0.5) / 64 - 1), abs((v + 0.5) / 64 - 1)) >= 1 and 1 <= column < 126 and 1 <= row < 126:
            there = cv2.getRectSubPix(enlarged.permute(1, 2, 0).numpy(), (1, 1), (float(column), float(row)))[0, 0]
            np.testing.assert_allclose(result[:, y, x].numpy(), there, atol=0.01)
            checked += 1
    assert checked >= 2


@pytest.mark.parametrize("frame", ["lr", "arcface112"])
def test_by_what_is_not_kept_of_a_face_the_lr_picture_shows_through(frame: Literal["lr", "arcface112"]) -> None:
    turned = torch.tensor([[[0.9, -0.2, 0.1], [0.2, 0.9, -0.05]]])
    picture, face = smooth(2, 32), smooth(3, SIDE)
    whole, half, none = (composite(face, picture, turned, frame, opacity=opacity) for opacity in (1.0, 0.5, 0.0))
    torch.testing.assert_close(half, (whole + none) / 2)
    assert (whole - none).abs().max() > 0.1
    if frame == "lr":
        enlarged = torch.nn.functional.interpolate(picture, (SIDE, SIDE), mode="bicubic").clamp(0, 1)
        torch.testing.assert_close(none, enlarged)


def test_in_the_frame_of_the_lr_picture_the_face_is_where_it_was() -> None:
    turned = torch.tensor([[0.3, -0.5, 0.1], [0.5, 0.3, -0.05]])  # by 59 degrees, smaller, shifted
    face, picture = smooth(0, SIDE), smooth(2, 32)
    result = composite(face, picture, turned[None], "lr")[0].permute(1, 2, 0).numpy()
    half = np.array([[64, 0, 63.5], [0, 64, 63.5], [0, 0, 1]])
    matrix = (half @ np.vstack([turned.numpy(), [0, 0, 1]]) @ np.linalg.inv(half))[:2]
    warped = cv2.warpAffine(face[0].permute(1, 2, 0).numpy(), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(np.pad(np.ones((100, 100), np.float32), 14), matrix, (SIDE, SIDE))
    outside = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), matrix, (SIDE, SIDE)) == 0
    enlarged = torch.nn.functional.interpolate(picture, (SIDE, SIDE), mode="bicubic").clamp(0, 1)[0].permute(1, 2, 0)
    assert (mask > 0.999).sum() > 2000 and outside.sum() > 5000
    assert np.abs(result - warped)[mask > 0.999].max() < 0.02
    np.testing.assert_allclose(result[outside], enlarged.numpy()[outside], atol=1e-6)


def test_a_similarity_that_is_none_gives_finite_faces() -> None:
    result = composite(smooth(0, SIDE), smooth(2, 16), torch.zeros(1, 2, 3), "lr")
    assert torch.isfinite(result).all() and 0 <= result.min() and result.max() <= 1


@pytest.mark.parametrize("frame", ["arcface112", "lr"])
def test_each_face_has_its_own_surroundings(frame: Literal["arcface112", "lr"]) -> None:
    faces, pictures = torch.cat([smooth(0, SIDE), smooth(1, SIDE)]), torch.cat([smooth(2, 16), smooth(3, 16)])
    places = torch.stack([IDENTITY, 0.7 * IDENTITY])
    both = composite(faces, pictures, places, frame)
    for index in range(2):
        one = slice(index, index + 1)
        torch.testing.assert_close(both[one], composite(faces[one], pictures[one], places[one], frame))
