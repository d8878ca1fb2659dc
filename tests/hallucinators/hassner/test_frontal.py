from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.faces.landmarks.bundle import canonical_mesh
from hallucinators.hassner.frontal import THRESHOLD, apply_soft_symmetry, frontalise, hidden_share
from hallucinators.hassner.pose import project
from hallucinators.hassner.surface import SIDE, Reference

Image = NDArray[np.float32]
Photograph = Callable[[Image, float], tuple[Image, NDArray[np.float64]]]
View = Callable[..., NDArray[np.float64]]
LEFT = np.s_[:, : SIDE // 2]
RIGHT = np.s_[:, SIDE // 2 :]


@pytest.fixture(scope="module")
def inner(generic: Reference) -> NDArray[np.bool_]:
    """The inner face without eyes: from brows to mouth, between the cheeks."""
    face = canonical_mesh().vertices
    x, y = generic.surface[..., 0], generic.surface[..., 1]
    output: NDArray[np.bool_] = (np.abs(x) < 0.6 * face[:, 0].max()) & (np.abs(y - 1) < 4.5) & (generic.eyes == 0)
    return output


@pytest.fixture(scope="module")
def stripes() -> Image:
    """A smooth texture whose halves mirror each other."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    across = np.abs(columns - (SIDE - 1) / 2 / SIDE)
    red, green = 0.5 + 0.4 * np.cos(9 * rows), 0.5 + 0.4 * np.sin(12 * across)
    return np.stack([red, green, 1 - green], 2).astype(np.float32)


def off(result: Image, expected: Image, where: Any) -> float:
    return float(np.abs(result - expected)[where].mean())


@pytest.mark.parametrize("yaw", [0.0, 10.0, -25.0])
@pytest.mark.parametrize("symmetry", ["auto", "always", "never"])
def test_a_symmetric_texture_comes_back(
    generic: Reference, photograph: Photograph, stripes: Image, inner: NDArray[np.bool_], yaw: float, symmetry: Any
) -> None:
    photo, projection = photograph(stripes, yaw)
    result = frontalise(photo, projection, generic, symmetry)
    assert result.shape == (SIDE, SIDE, 3) and result.dtype == np.float32
    assert off(result, stripes, inner) < 0.03
    assert yaw == 0 or off(photo, stripes, inner) > 0.06, "the photograph itself is no frontal face"


@pytest.mark.parametrize(("yaw", "hidden"), [(60.0, RIGHT), (-60.0, LEFT)])
def test_the_hidden_half_is_filled_by_symmetry_and_the_seen_one_is_left(
    generic: Reference, photograph: Photograph, stripes: Image, inner: NDArray[np.bool_], yaw: float, hidden: Any
) -> None:
    photo, projection = photograph(stripes, yaw)
    raw, filled = (frontalise(photo, projection, generic, symmetry) for symmetry in ("never", "auto"))
    where = np.zeros_like(inner)
    where[hidden] = inner[hidden]
    assert off(raw, stripes, where) > 0.1
    assert off(filled, stripes, where) < 0.75 * off(raw, stripes, where)
    seen_half = np.zeros((SIDE, SIDE), bool)
    seen_half[LEFT if hidden is RIGHT else RIGHT] = True
    seen_half[:, SIDE // 2 - 8 : SIDE // 2 + 8] = False  # beside the seam, which is soft
    np.testing.assert_allclose(filled[seen_half], raw[seen_half], atol=1e-6)


def test_the_seam_is_soft(generic: Reference) -> None:
    raw = np.zeros((SIDE, SIDE, 3), np.float32)
    raw[RIGHT] = 1
    mixed = apply_soft_symmetry(raw, np.ones((SIDE, SIDE)), np.zeros((SIDE, SIDE), np.float32), left_is_hidden=True)
    assert mixed[0, :50].min() > 0.7, "the hidden half is mostly the other one"
    halves = np.where(np.arange(SIDE) < SIDE // 2, 0.0, 1.0).astype(np.float32)
    wave = np.broadcast_to(halves[None, :, None], (SIDE, SIDE, 3)).copy()
    hidden = np.where(np.arange(SIDE) < SIDE // 2, 1.0, 0.0) * np.ones((SIDE, 1))
    mixed = apply_soft_symmetry(wave, hidden, np.zeros((SIDE, SIDE), np.float32), left_is_hidden=True)
    assert np.abs(np.diff(mixed[0, :, 0])).max() < np.abs(np.diff(wave[0, :, 0])).max()


@pytest.mark.parametrize("left_is_hidden", [True, False])
def test_weights_are_the_published_ones(left_is_hidden: bool) -> None:
    raw = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    hidden = np.random.default_rng(1).random((SIDE, SIDE))
    mixed = apply_soft_symmetry(raw, hidden, np.zeros((SIDE, SIDE), np.float32), left_is_hidden=left_is_hidden)
    row, column = 70, 20 if left_is_hidden else SIDE - 21  # far from the seam
    visible_weight = 1 / np.exp(0.5 + hidden[row, column] / hidden.max())
    expected = visible_weight * raw[row, column] + (1 - visible_weight) * raw[row, SIDE - 1 - column]
    np.testing.assert_allclose(mixed[row, column], expected, rtol=1e-5)
    np.testing.assert_allclose(mixed[row, SIDE - 1 - column], raw[row, SIDE - 1 - column], rtol=1e-5)


def test_eyes_are_not_touched_by_symmetry(generic: Reference) -> None:
    raw = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    eyes = generic.eyes > 1 - 1e-6
    beside = generic.eyes[LEFT] == 0
    mixed = apply_soft_symmetry(raw, np.ones((SIDE, SIDE)), generic.eyes, left_is_hidden=True)
    assert 80 < eyes.sum() < 500
    np.testing.assert_allclose(mixed[eyes], raw[eyes], atol=1e-6)
    assert np.abs(mixed - raw)[LEFT][beside].mean() > 0.1


@pytest.mark.parametrize("yaw", [30.0, -30.0, 70.0, -70.0])
def test_the_side_turned_away_counts_as_hidden(generic: Reference, view: View, yaw: float) -> None:
    places, _ = project(view(yaw), generic.surface)
    hidden = hidden_share((SIDE, SIDE), places, generic.head)
    more_left = hidden[LEFT].sum() - hidden[RIGHT].sum()
    assert (more_left > 0) == (yaw < 0) and abs(more_left) > 20 * THRESHOLD


def test_a_face_seen_from_the_front_is_hidden_nowhere_and_auto_leaves_it_alone(generic: Reference, view: View) -> None:
    projection = view(0.0)
    places, _ = project(projection, generic.surface)
    inside = generic.head & (places > 0).all(2) & (places < SIDE - 1).all(2)
    assert np.median(hidden_share((SIDE, SIDE), places, generic.head)[inside]) == pytest.approx(1, abs=0.3)
    photo = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    auto, never, always = (frontalise(photo, projection, generic, how) for how in ("auto", "never", "always"))
    np.testing.assert_array_equal(auto, never)
    assert np.abs(always - never).max() > 0.1


def test_what_the_photograph_does_not_show_is_hidden_and_repeats_its_border(generic: Reference, view: View) -> None:
    projection = view(0.0)
    photo = np.full((SIDE, SIDE // 2 + 10, 3), 0.5, np.float32)  # the right of the face is cut off
    places, _ = project(projection, generic.surface)
    hidden = hidden_share(photo.shape[:2], places, generic.head)
    assert hidden[RIGHT].sum() > hidden[LEFT].sum() + THRESHOLD
    np.testing.assert_allclose(frontalise(photo, projection, generic), 0.5, atol=1e-5)
