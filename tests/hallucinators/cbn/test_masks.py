"""CBN's masks and the landmarks they are drawn from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from bench.errors import DataError
from bench.faces.pairs.pairs import Jitter
from hallucinators.cbn.masks import CURVES, masks, upright_landmarks
from hallucinators.training.data.augmentation import Augmentation
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews

STRAIGHT = torch.stack([torch.arange(68) * 2.0 - 4, torch.full((68,), 63.5)], 1)[None]


def test_there_are_fourteen_curves_over_all_points() -> None:
    assert len(CURVES) == 14 and {point for curve in CURVES for point in curve} == set(range(68))


def test_a_straight_curve_is_a_line_between_its_ends() -> None:
    drawn = masks(STRAIGHT, side=128, half=0)
    assert drawn.shape == (1, 14, 128, 128)
    brow = drawn[0, 0]  # points 17 to 21 at x of 30 to 38, y of 63.5, which rounds to the even 64
    assert brow[64, 30:39].all() and brow.sum() == 9
    wide = masks(STRAIGHT, side=128, half=2)[0, 0]
    assert wide[62:67, 28:41].all() and wide.sum() == 5 * 13


def test_smaller_masks_are_of_the_same_places() -> None:
    drawn = masks(STRAIGHT, side=32, half=0)[0, 0]
    assert drawn.sum() == 3 and drawn[16, 7:10].all()


def test_a_curve_bends_through_its_points() -> None:
    points = torch.full((1, 68, 2), 10.0)
    points[0, 17:22] = torch.tensor([[20.0, 60], [30, 50], [40, 47], [50, 50], [60, 60]])
    brow = masks(points, side=128, half=0)[0, 0]
    for x, y in points[0, 17:22].long().tolist():
        assert brow[y, x] == 1
    assert masks(points, side=128, half=1)[0, 0, :, 20:61].any(0).all(), "no column is left out"


def test_what_is_outside_or_not_finite_is_not_drawn() -> None:
    assert not masks(torch.full((1, 68, 2), 500.0), side=32, half=1).any()
    assert not masks(torch.full((1, 68, 2), torch.nan), side=32, half=1).any()


def test_faces_are_drawn_apart() -> None:
    both = masks(torch.cat([STRAIGHT, STRAIGHT + 20]), side=64, half=1)
    assert torch.equal(both[1:], masks(STRAIGHT + 20, side=64, half=1)) and not torch.equal(both[0], both[1])


@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_landmarks_of_a_face_that_is_only_moved_are_where_they_were(
    trained_on: RenderedViews, validation_views: RenderedViews, mirror: float
) -> None:
    moved = Jitter(rotation_deg=30, shift=0.1, scale=(0.8, 1.1))
    still = Augmentation(recipe=moved, mild_share=0, mirror=mirror, frontal=1)
    source = PairSource(trained_on, validation_views, batch_size=4, augmentation=still, flow=True, upright=True)
    batch = source.batch(0)
    inner = slice(17, 68)
    torch.testing.assert_close(upright_landmarks(batch)[:, inner], batch.landmarks[:, inner], atol=0.5, rtol=0)


def test_landmarks_of_a_turned_face_follow_its_nose(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    turned = Augmentation(mild_share=0, mirror=0, frontal=0)
    source = PairSource(trained_on, validation_views, batch_size=8, augmentation=turned, flow=True, upright=True)
    batch = source.batch(1)
    shift = upright_landmarks(batch)[:, 30, 0] - batch.landmarks[:, 30, 0]
    assert (shift.sign() == batch.yaw_deg.sign())[batch.yaw_deg.abs() > 10].all()


def test_batches_without_flow_or_upright_faces_are_refused(
    trained_on: RenderedViews, validation_views: RenderedViews
) -> None:
    batch = PairSource(trained_on, validation_views, batch_size=2, flow=True, upright=True).batch(0)
    for lacking in (replace(batch, flow=None), replace(batch, similarity=None)):
        with pytest.raises(DataError, match="flow and upright"):
            upright_landmarks(lacking)
