"""A batch of training pairs."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from bench.errors import DataError


@dataclass(frozen=True, slots=True)
class Batch:
    """N training pairs; images are RGB in [0, 1].

    Attributes:
        lr: float32 (N, 3, s, s), s of 16 or 32: the turned face, moved by a similarity and reduced.
        hr: float32 (N, 3, 128, 128): the upright frontal truth.
        landmarks: float32 (N, 68, 2), xy in pixels of the truth, origin at the centre of the top-left pixel.
        five: float32 (N, 5, 2): eye centres, nose tip, mouth corners, image left first.
        yaw_deg: float32 (N,), turn of the view.
        face: int64 (N,), index of the photograph in its pack; its mirror image has the same index.
        flow: float32 (N, 7, 32, 32), see `hallucinators.training.data.views.FLOW_CHANNELS`; None without flow targets.
        upright: float32 (N, 3, 128, 128): the turned face before it was moved and reduced; None unless the source was
            created with ``upright=True``.
        similarity: float32 (N, 2, 3): from pixels (x, y, 1) of ``upright`` to those of the moved face of 128 pixels
            that ``lr`` is reduced from (affine where the augmentation changes the aspect); None likewise.
        in_pose: bool (N,), true where ``hr`` and ``five`` are not frontal but the photograph that ``lr`` is reduced
            from, in its pose and place; None in batches of rendered pairs.
        person: int64 (N,), row of the person among those with a template; None without templates.
        template: float32 (N, D), what a teacher should find in the frontal face: the mean embedding of the person's
            other photographs; None without templates.
    """

    lr: Tensor
    hr: Tensor
    landmarks: Tensor
    five: Tensor
    yaw_deg: Tensor
    face: Tensor
    flow: Tensor | None = None
    upright: Tensor | None = None
    similarity: Tensor | None = None
    in_pose: Tensor | None = None
    person: Tensor | None = None
    template: Tensor | None = None

    def to(self, device: str | torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(*(None if part is None else part.to(device) for part in self.parts()))  # type: ignore[arg-type]

    def upright_faces(self) -> Tensor:
        """``upright``, which must not be None.

        Raises:
            DataError: it is None.
        """
        if self.upright is None:
            raise DataError("The batches have no upright faces; create their source with upright=True")
        return self.upright

    def parts(self) -> tuple[Tensor | None, ...]:
        """The tensors in the order of the attributes."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def __len__(self) -> int:
        return len(self.lr)
