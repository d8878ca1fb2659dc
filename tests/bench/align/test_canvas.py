from __future__ import annotations

import numpy as np
import pytest

from bench.align.canvas import LARGEST, Canvas, on_canvas


def test_a_very_wide_image_is_looked_at_on_a_canvas_of_bounded_size() -> None:
    canvas = on_canvas(np.zeros((2, 5000, 3), np.uint8), least=160, margin=0.1)
    assert canvas.pixels.shape == (LARGEST, LARGEST, 3)
    assert canvas.scale[0] == pytest.approx(0.128)


def test_an_image_that_fills_the_canvas_is_not_resampled_and_its_edge_is_repeated_around() -> None:
    image = np.random.default_rng(0).integers(0, 256, (250, 250, 3), dtype=np.uint8)
    canvas = on_canvas(image, least=160, margin=0.1)
    left, top = canvas.offset
    assert canvas.scale == (1.0, 1.0)
    assert np.array_equal(canvas.pixels[top : top + 250, left : left + 250], image)
    assert left >= 25 and np.array_equal(canvas.pixels[top : top + 250, 0], image[:, 0])


def test_a_small_image_is_enlarged_to_the_canvas_less_its_margin() -> None:
    canvas = on_canvas(np.zeros((16, 8, 3), np.uint8), least=160, margin=0.1)
    assert canvas.pixels.shape == (160, 160, 3)
    assert canvas.scale == (8.0, 8.0) and canvas.offset == (48, 16)


def test_points_leave_the_canvas_by_pixel_centres() -> None:
    # twice enlarged and shifted by (10, 4): image pixel 0 covers canvas pixels 10 and 11, centre 10.5
    canvas = Canvas(np.zeros((1, 1, 3), np.uint8), (2.0, 2.0), (10, 4))
    assert canvas.in_image([[10.5, 4.5], [12.5, 8.5]]) == ((0.0, 0.0), (1.0, 2.0))
