"""Cuts out of photographs."""

import pytest

from bench.media.crop import cut_to_template
from bench.types import Cut, FaceTemplate

POINTS = ((30.0, 40.0), (50.0, 40.0), (40.0, 50.0), (32.0, 60.0), (48.0, 60.0))
FACE = FaceTemplate(64, 64, ((20.0, 24.0), (43.0, 24.0), (31.5, 36.0), (23.0, 48.0), (40.0, 48.0)))


def test_a_cut_to_a_template_puts_the_points_where_the_shrunk_template_has_them():
    cut, points = cut_to_template(POINTS, FACE, 16)
    assert cut == Cut(points=POINTS, face=FACE, side=16)
    # (20 + 0.5) * 16 / 64 - 0.5 = 4.625: the centre of the first pixel is the origin
    assert points[0] == (4.625, 5.625)
    assert points[2] == (7.5, 8.625)


@pytest.mark.parametrize("lr", [None, 0])
def test_a_cut_to_a_template_without_an_lr_side_keeps_the_size_of_the_chip(lr):
    cut, points = cut_to_template(POINTS, FACE, lr)
    assert cut == Cut(points=POINTS, face=FACE, side=None)
    assert points == FACE.points
