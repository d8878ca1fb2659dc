"""A hallucinated face put back among what surrounded it, in the wider frame that a recogniser looks at.

Recognisers see hair, forehead and ground around a face; aligned to their template, a face that ends at the frame
hallucinators are trained in has black there. Measured on 300 people of LFW at 16 x 16: the LR face itself loses 12
points of rank-1 when what lies beyond that frame is black.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.align.similarity import fit_similarity
from bench.align.template import FRAMES, TRUTH_FRAME, Frame

_RAMP = 0.16
"""Of half the face's frame: the width over which face and surroundings are blended at its border."""


def framed(faces: Tensor, lr: Tensor, similarity: Tensor, frame: Frame, *, own: Frame = TRUTH_FRAME) -> Tensor:
    """Lay faces over their LR pictures, both brought to another frame.

    Args:
        faces: hallucinated, float32 (N, 3, s, s) in [0, 1], upright in the frame ``own``.
        lr: the pictures they were made of, (N, 3, l, l).
        similarity: float32 (N, 2, 3) from places in ``own`` to places in ``lr``, both from -1 to 1 over the edges.
        frame: the frame wanted.
        own: the frame of the faces.

    Returns:
        float32 (N, 3, s, s) in [0, 1]; black where the LR picture ends, as recognisers' chips have it. (Its border
        repeated makes streaks, which they take for hair: 2 points of rank-1 less on LFW shrunk to 12-36 pixels.)
    """
    if frame == own:
        return faces
    side = faces.shape[-1]
    at = _places(side, own, frame).to(faces.device)
    x, y = at[..., 0], at[..., 1]
    there = [s[:, 0, None, None] * x + s[:, 1, None, None] * y + s[:, 2, None, None] for s in similarity.unbind(1)]
    enlarged = functional.interpolate(lr.float(), (side, side), mode="bicubic").clamp(0, 1)
    around = _look_up(enlarged, torch.stack(there, 3), beyond="zeros")
    face = _look_up(faces.float(), at.expand(len(faces), -1, -1, -1))
    share = ((1 - at.abs().amax(2)) / _RAMP).clamp(0, 1)
    return share * face + (1 - share) * around


def _places(side: int, own: Frame, frame: Frame) -> Tensor:
    """Where the pixels of ``frame`` lie in ``own``: float32 (side, side, 2), from -1 to 1 over its edges."""
    there = np.vstack([fit_similarity(_centred(own), _centred(frame)), [0, 0, 1]])  # as an aligner would fit it
    matrix = torch.from_numpy(np.linalg.inv(there)[:2].astype(np.float32))
    axis = (torch.arange(side) + 0.5) * (2 / side) - 1
    square = torch.stack([axis.expand(side, side), axis[:, None].expand(side, side)], 2)
    return square @ matrix[:, :2].mT + matrix[:, 2]


def _centred(frame: Frame) -> tuple[tuple[float, float], ...]:
    return tuple((2 * x - 1, 2 * y - 1) for x, y in FRAMES[frame])


def _look_up(images: Tensor, at: Tensor, *, beyond: str = "border") -> Tensor:
    return functional.grid_sample(images, at, padding_mode=beyond, align_corners=False)
