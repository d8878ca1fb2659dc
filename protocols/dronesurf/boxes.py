"""The box of a gallery face, as large around it as the annotated boxes of videos are."""

from __future__ import annotations

import math

from bench.types import Points

_HEIGHT = 2.9  # forehead to chin over eyes to mouth


def portrait_box(points: Points, margin: float) -> tuple[float, float, float, float]:
    """The square around a face: x, y, width, height between pixel edges.

    Its side is the height of the face, forehead to chin, about 2.9 times the way from the eyes to the mouth; a tenth
    of that way higher than the middle between them. Published annotations are boxes of whole faces; no more is known.

    Args:
        points: eyes, nose, mouth corners.
        margin: border, as a fraction of the side on each side.
    """
    from bench.media.crop import square_around

    (x0, y0), (x1, y1), _, (x3, y3), (x4, y4) = points
    way = math.hypot((x3 + x4 - x0 - x1) / 2, (y3 + y4 - y0 - y1) / 2)
    side = _HEIGHT * way
    x, y = (x0 + x1 + x3 + x4) / 4 + 0.5, (y0 + y1 + y3 + y4) / 4 + 0.5 - 0.05 * side
    return square_around((x - side / 2, y - side / 2, side, side), margin)
