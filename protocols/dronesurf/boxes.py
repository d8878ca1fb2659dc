"""The box of a gallery face, with the same extent as the annotated boxes of videos."""

from __future__ import annotations

import math

from bench.types import Points

_HEIGHT = 2.9  # distance from forehead to chin over distance from eyes to mouth


def portrait_box(points: Points, margin: float) -> tuple[float, float, float, float]:
    """The square around a face: x, y, width, height between pixel edges.

    Its side is the height of the face from forehead to chin, about 2.9 times the distance from eyes to mouth; its
    centre lies above the middle between eyes and mouth by 5 % of the side. The published annotations are boxes of
    whole faces; nothing more is documented.

    Args:
        points: eyes, nose, mouth corners.
        margin: border, as a fraction of the side on each side.
    """
    from bench.media.crop import square_around

    (x0, y0), (x1, y1), _, (x3, y3), (x4, y4) = points
    distance = math.hypot((x3 + x4 - x0 - x1) / 2, (y3 + y4 - y0 - y1) / 2)
    side = _HEIGHT * distance
    x, y = (x0 + x1 + x3 + x4) / 4 + 0.5, (y0 + y1 + y3 + y4) / 4 + 0.5 - 0.05 * side
    return square_around((x - side / 2, y - side / 2, side, side), margin)
