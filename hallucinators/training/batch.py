"""What one step of training sees."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """N training pairs; images are RGB in [0, 1].

    Attributes:
        lr: float32 (N, 3, s, s), s of 16 or 32: the turned, moved, shrunk face.
        hr: float32 (N, 3, 128, 128): the upright frontal truth.
        landmarks: float32 (N, 68, 2), xy in pixels of the truth, origin at the centre of the top-left pixel.
        five: float32 (N, 5, 2): eye centres, nose tip, mouth corners, image left first.
        yaw_deg: float32 (N,), turn of the view.
        face: int64 (N,), index of the photograph in its pack; its mirror image counts as the same.
        flow: float32 (N, 7, 32, 32), see `hallucinators.training.views`, or None.
    """

    lr: Tensor
    hr: Tensor
    landmarks: Tensor
    five: Tensor
    yaw_deg: Tensor
    face: Tensor
    flow: Tensor | None = None

    def to(self, device: str | torch.device) -> Batch:
        """The same batch on a device."""
        flow = None if self.flow is None else self.flow.to(device)
        return Batch(
            self.lr.to(device),
            self.hr.to(device),
            self.landmarks.to(device),
            self.five.to(device),
            self.yaw_deg.to(device),
            self.face.to(device),
            flow,
        )

    def __len__(self) -> int:
        return len(self.lr)
