"""How much the flow network changes heads that are hardly turned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """Limits of warping and residual for heads that are hardly turned; `estimate_turn_px` measures the turn.

    Attributes:
        no_turn_px: a head with this turn or less counts as not turned, in pixels of 128.
        full_turn_px: a head with this turn or more counts as fully turned, and is not limited; between both values the
            share is linear.
        deformation_scale: for a head that is not turned, the scale of the part of its flow that is not a similarity.
            That part is mostly error, and changes the identity.
        residual_scales: for such a head, scales of the residual at 16 x 16 and at 32 x 32, in inference only. A
            residual that was trained on rendered views alone overfits the teacher network.
    """

    no_turn_px: float
    full_turn_px: float
    deformation_scale: float
    residual_scales: tuple[float, float]

    def turned_share(self, pixels: Tensor) -> Tensor:
        """How far a head counts as turned, from 0 to 1, for turns in pixels of 128; the same shape."""
        return ((pixels - self.no_turn_px) / (self.full_turn_px - self.no_turn_px)).clamp(0, 1)

    def deformation_scale_at(self, turn: Tensor) -> Tensor:
        """Scale of the deformation, (N,), for heads that count as turned by a share (N,)."""
        return self.deformation_scale + (1 - self.deformation_scale) * turn

    def residual_scale_at(self, turn: Tensor, lr: Tensor) -> Tensor:
        """Scale of the residual, (N,), for such heads in LR faces (N, 3, s, s)."""
        small, large = self.residual_scales
        side = torch.ones_like(lr[0, 0, 0], dtype=torch.float32).sum()  # as a tensor, for export
        least = small + (large - small) * ((side - 16) / 16).clamp(0, 1)
        return least + (1 - least) * turn


ALWAYS = TurnLimits(3.0, 6.0, 0.3, (1.0, 1.0))
"""All heads are frontalised; networks are trained with this. Heads count as turned from 15 to 25 degrees on."""
FAR = TurnLimits(8.0, 16.0, 0.0, (1.0, 1.0))
"""Heads turned by up to about 30 degrees keep their pose; from 55 degrees on they are fully frontalised.

For recognisers, whose rank-1 on real photographs is higher so. The scales of the residual were chosen for the shipped
weights on people nobody trained on, by the lower gain of SFace and dlib (docs/training.md); weights that were trained
on rendered views alone are better with 0.7 at 16 x 16 and 0.4 at 32 x 32.
"""
