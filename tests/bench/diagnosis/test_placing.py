"""Offsets of the five points are split into what the frame does and what the shape of the faces does."""

from __future__ import annotations

import numpy as np
import pytest

from bench.diagnosis import placing
from bench.types import Points

AIM: Points = ((38.0, 52.0), (74.0, 52.0), (56.0, 72.0), (42.0, 92.0), (71.0, 92.0))
CHIPS = [np.zeros((112, 112, 3), np.uint8)] * 4


def _place(points: Points | None, monkeypatch: pytest.MonkeyPatch) -> placing.Placing:
    monkeypatch.setattr(placing, "detect_points", lambda images: [points] * len(images))
    return placing.measure_offsets(CHIPS, [AIM] * len(CHIPS))


def test_a_shift_is_an_error_of_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    where = _place(tuple((x + 3.0, y - 4.0) for x, y in AIM), monkeypatch)
    assert where.off == pytest.approx((5.0,) * 5)
    assert where.frame_off == pytest.approx((5.0,) * 5)


def test_a_scale_is_an_error_of_the_frame_at_its_far_points(monkeypatch: pytest.MonkeyPatch) -> None:
    x0, y0 = np.mean(AIM, axis=0)
    where = _place(tuple((x0 + 1.2 * (x - x0), y0 + 1.2 * (y - y0)) for x, y in AIM), monkeypatch)
    assert where.frame_off == pytest.approx(where.off)
    assert where.worst_of_frame > where.mean


def test_one_misplaced_point_is_an_error_of_the_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    where = _place((*AIM[:2], (AIM[2][0], AIM[2][1] + 10.0), *AIM[3:]), monkeypatch)
    assert where.worst == pytest.approx(10.0)
    assert where.worst_of_frame < 3.0


def test_chips_without_faces_have_no_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    where = _place(None, monkeypatch)
    assert (where.images, where.faces, where.off, where.frame_off) == (4, 0, (), ())
    assert where.mean == where.worst == where.worst_of_frame == float("inf")
