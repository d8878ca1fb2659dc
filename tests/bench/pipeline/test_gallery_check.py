"""A hallucinator that shows gallery images is named; one whose inputs are gallery images is not."""

from __future__ import annotations

import numpy as np
import pytest

from bench.checks.toy_faces import draw_face
from bench.images import ByteImages, resize
from bench.pipeline.gallery_check import Enrolled, inspect_gallery

PEOPLE = 24
HR = [draw_face(person, 1, 112) for person in range(PEOPLE)]
LR = [resize(face, 16, 16) for face in HR]
GALLERY = [Enrolled(f"Gallery/{person}.png", draw_face(person, 0, 96)) for person in range(PEOPLE)]


def mixed(person: int, share: float) -> ByteImages:
    plain, enrolled = resize(LR[person], 112, 112), resize(GALLERY[person].image, 112, 112)
    return np.rint((1 - share) * plain + share * enrolled).astype(np.uint8)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3])
def test_gallery_images_and_mixtures_with_the_input_are_found(share: float) -> None:
    (finding,) = inspect_gallery([(LR[i], mixed(i, share)) for i in range(PEOPLE)], GALLERY)
    assert finding.name == "returns-gallery" and "Gallery/" in finding.detail
    assert f"of {PEOPLE} outputs are gallery images" in finding.detail


def test_gallery_images_of_others_and_of_another_size_are_found() -> None:
    shown = [(LR[i], resize(GALLERY[(i + 5) % PEOPLE].image, 64, 64)) for i in range(PEOPLE)]
    assert [finding.name for finding in inspect_gallery(shown, GALLERY)] == ["returns-gallery"]


def test_a_few_of_many_are_enough() -> None:
    shown = [(LR[i], GALLERY[i].image if i < 3 else resize(LR[i], 112, 112)) for i in range(PEOPLE)]
    (finding,) = inspect_gallery(shown, GALLERY)
    assert finding.detail.startswith(f"3 of {PEOPLE}")


def test_copies_with_noise_are_found_by_their_number() -> None:
    rng = np.random.default_rng(0)
    noisy = [
        (lr, np.clip(item.image + rng.normal(0, 10, item.image.shape), 0, 255).astype(np.uint8))
        for lr, item in zip(LR, GALLERY, strict=True)
    ]
    assert [finding.name for finding in inspect_gallery(noisy, GALLERY)] == ["returns-gallery"]


def test_interpolation_and_the_true_face_are_no_finding() -> None:
    assert inspect_gallery([(lr, resize(lr, 112, 112)) for lr in LR], GALLERY) == []
    assert inspect_gallery(list(zip(LR, HR, strict=True)), GALLERY) == []


def test_inputs_that_are_gallery_images_are_no_finding() -> None:
    """As in degenerate data: the probe is the enrolled picture, shrunk or not."""
    small = [resize(item.image, 16, 16) for item in GALLERY]
    assert inspect_gallery([(lr, resize(lr, 96, 96)) for lr in small], GALLERY) == []
    same = [item.image for item in GALLERY]
    assert inspect_gallery([(image, image) for image in same], GALLERY) == []


def test_nothing_to_compare_is_no_finding() -> None:
    assert inspect_gallery([], GALLERY) == [] and inspect_gallery([(LR[0], HR[0])], GALLERY[:1]) == []
    flat = np.zeros((16, 16, 3), np.uint8)
    assert inspect_gallery([(flat, flat)] * 4, [Enrolled("a", flat), Enrolled("b", flat)]) == []
