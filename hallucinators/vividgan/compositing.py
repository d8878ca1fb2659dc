"""A hallucinated face put back among what surrounded it, in the wider frame that a recogniser looks at.

Recognisers see hair, forehead and ground around a face; aligned to their template, a face that ends at the frame
hallucinators are trained in has black there. Measured on 300 people of LFW at 16 x 16: the LR face itself loses 12
points of rank-1 when what lies beyond that frame is black.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bench.align.template import ASPECTS, FRAMES, TRUTH_FRAME, AnyFrame, Frame
from bench.media.similarity import fit_similarity
from hallucinators.networks.grids import moved, places

_RAMP = 0.16
"""Of half the face's frame: the width over which face and surroundings are blended at its border."""


def framed(
    faces: Tensor,
    lr: Tensor,
    similarity: Tensor,
    frame: AnyFrame | Literal["lr"],
    *,
    own: Frame = TRUTH_FRAME,
    kept: float = 1.0,
) -> Tensor:
    """Lay faces over their LR pictures, both brought to another frame.

    Args:
        faces: hallucinated, float32 (N, 3, s, s) in [0, 1], upright in the frame ``own``.
        lr: the pictures they were made of, (N, 3, l, l).
        similarity: float32 (N, 2, 3) from places in ``own`` to places in ``lr``, both from -1 to 1 over the edges.
        frame: the frame wanted; ``lr`` is that of the LR picture, in which the face then stands where it stood. One
            that is not square is stretched to the square that is returned.
        own: the frame of the faces.
        kept: share of a face that is kept where it covers the LR picture, which shows through by the rest.

    Returns:
        float32 (N, 3, s, s) in [0, 1]; black where the LR picture ends, as recognisers' chips have it. (Its border
        repeated makes streaks, which they take for hair: 2 points of rank-1 less on LFW shrunk to 12-36 pixels.)
    """
    if frame == own:
        return faces
    side = faces.shape[-1]
    enlarged = functional.interpolate(lr.float(), (side, side), mode="bicubic").clamp(0, 1)
    square = places(side, faces.device)[None]
    if frame == "lr":
        at, around = moved(_inverse(similarity), square), enlarged
    else:
        at = moved(_between(own, frame).to(faces.device)[None], square).expand(len(faces), -1, -1, -1)
        around = _look_up(enlarged, moved(similarity, at), beyond="zeros")
    face = _look_up(faces.float(), at)
    share = kept * ((1 - at.abs().amax(1)) / _RAMP).clamp(0, 1)[:, None]
    return share * face + (1 - share) * around


def _between(own: Frame, frame: AnyFrame) -> Tensor:
    """From places in ``frame`` to places in ``own``: float32 (2, 3)."""
    aspect = ASPECTS.get(frame, 1.0)
    target = tuple((x * aspect, y) for x, y in _centred(frame))
    there = np.vstack([fit_similarity(_centred(own), target), [0, 0, 1]])  # as an aligner would fit it
    back = np.linalg.inv(there) @ np.diag([aspect, 1, 1])
    return torch.from_numpy(back[:2].astype(np.float32))


def _inverse(similarity: Tensor) -> Tensor:
    """Of similarities (N, 2, 3); one that shrinks to less than a tenth is taken as a tenth, so that it has one."""
    a, b = similarity[:, 0, 0], similarity[:, 1, 0]
    square = (a.square() + b.square()).clamp(min=0.01)
    back = torch.stack([torch.stack([a, b], 1), torch.stack([-b, a], 1)], 1) / square[:, None, None]
    return torch.cat([back, -(back * similarity[:, None, :, 2]).sum(2, keepdim=True)], 2)


def _centred(frame: AnyFrame) -> tuple[tuple[float, float], ...]:
    return tuple((2 * x - 1, 2 * y - 1) for x, y in FRAMES[frame])


def _look_up(images: Tensor, at: Tensor, *, beyond: str = "border") -> Tensor:
    return functional.grid_sample(images, at.permute(0, 2, 3, 1), padding_mode=beyond, align_corners=False)
