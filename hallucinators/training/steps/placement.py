"""The location of a face in its LR image: losses for a network's first spatial transformer, and a stage that trains it.

The papers let spatial transformers learn their similarity from pixels alone. On tiny faces rotated by up to 45 degrees
that fails (docs/training.md): the similarity stays near the identity and the decoder learns an average face. Training
pairs are generated, so the true position of each point is known and can be used as a target. No numbered equation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Adam

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.grids import pixel_centres, transform_points
from hallucinators.networks.transformer import warp_enlarged
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates

WEIGHT = 0.3
"""Weight of the placement loss in the stages after `GeometryStage`."""
PIXELS = SIDE / 2
"""Factor from the coordinates of the losses ([-1, 1] over an image) to pixels of 128."""
_POINTS = 9  # grid points along each side
_EPSILON = 1e-8  # keeps the gradient of a distance finite at 0

PlacementLoss = Callable[[Tensor, Batch], Tensor]
"""Similarities float32 (N, 2, 3), output frame to LR image in [-1, 1], and their batch, to a mean distance."""


class Localiser(Protocol):
    """A network whose first spatial transformer can be trained alone."""

    def similarity(self, lr: Tensor) -> Tensor:
        """Estimated location of the face: float32 (N, 2, 3), output frame to LR image, coordinates in [-1, 1]."""
        ...

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that `similarity` depends on."""
        ...


def frontal_placement(similarity: Tensor, batch: Batch) -> Tensor:
    """Mean distance between estimated and true positions of the points of the frontal face that the view shows.

    Args:
        similarity: float32 (N, 2, 3), frontal frame to LR image, coordinates in [-1, 1] over the image.
        batch: with flow targets.

    Returns:
        Scalar in the same coordinates; times `PIXELS` in pixels of 128.

    Raises:
        DataError: the batch has no flow targets.
    """
    if batch.flow is None:
        raise DataError("placement loss: the batches have no flow targets; create their source with flow=True")
    side = batch.flow.shape[-1]
    estimate = transform_points(similarity, pixel_centres(side, similarity.device))
    truth = (batch.flow[:, :2] + 0.5) * (2 / SIDE) - 1
    visible = batch.flow[:, 4:5] * batch.flow[:, 6:7]
    distance = (estimate - truth).square().sum(1, keepdim=True).add(_EPSILON).sqrt()
    return (distance * visible).sum() / visible.sum().clamp(min=1)


def upright_placement(similarity: Tensor, batch: Batch) -> Tensor:
    """Mean distance between estimated and true positions, for networks that keep the pose.

    The points are a grid over the middle three quarters of the upright face, where the head is.

    Args:
        similarity: float32 (N, 2, 3), upright face to LR image, coordinates in [-1, 1] over the images.
        batch: with upright faces and the matrices that moved them.

    Returns:
        Scalar in the same coordinates; times `PIXELS` in pixels of 128.

    Raises:
        DataError: the batch has no such matrices.
    """
    if batch.similarity is None:
        raise DataError("placement loss: the batches have no similarities; create their source with upright=True")
    axis = torch.linspace(-0.75, 0.75, _POINTS, device=similarity.device)
    points = torch.stack([axis.expand(_POINTS, _POINTS), axis[:, None].expand(_POINTS, _POINTS)]).flatten(1)
    half = SIDE / 2
    estimate = _apply(similarity, points)
    truth = (_apply(batch.similarity, points * half + half - 0.5) + 0.5) / half - 1
    return (estimate - truth).square().sum(1).add(_EPSILON).sqrt().mean()


def _apply(matrices: Tensor, points: Tensor) -> Tensor:
    """Matrices (N, 2, 3) applied to points (2, P): (N, 2, P). Written out, because autocast would use bfloat16."""
    return (matrices[:, :, :2, None] * points).sum(2) + matrices[:, :, 2:]


class GeometryStage(NetworkTask):
    """A stage before those of the papers: it trains the first spatial transformer alone, with a placement loss.

    It costs a small part of a step of the whole network (a thirtieth for VividGAN's coarse network).
    """

    def __init__(
        self,
        name: str,
        net: nn.Module,
        loss: PlacementLoss,
        truth: Callable[[Batch], Tensor],
        *,
        steps: int,
        rate: float = 1e-3,
        key: str = "net",
    ) -> None:
        """Set up the stage.

        Args:
            name: name of the task.
            net: the network, which is a `Localiser`.
            loss: `frontal_placement` or `upright_placement`.
            truth: the faces (N, 3, 128, 128) that warped LR images are compared with in validation.
            steps: of the whole stage.
            rate: greatest learning rate.
            key: key of the network in checkpoints.
        """
        localiser: Localiser = net  # type: ignore[assignment]  # the type system has no intersection with nn.Module
        self._localiser, self._loss, self._truth, self._steps = localiser, loss, truth, steps
        optimiser = Adam([rate_group(localiser.alignment_parameters(), rate)], betas=(0.9, 0.99))
        super().__init__(name, net, optimiser, key=key)

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        loss = self._loss(self._localiser.similarity(batch.lr), batch)
        return {"alignment": descend(loss, self._optimiser, name="alignment", limit=1.0)}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the warped LR image, and the placement error in pixels of 128."""
        similarity, truth = self._localiser.similarity(batch.lr), self._truth(batch)
        figures = {"psnr_db": psnr_db(warp_enlarged(batch.lr, similarity, SIDE), truth)}
        return figures | {"alignment_px": float(self._loss(similarity, batch)) * PIXELS}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, warped LR image, truth."""
        warped = warp_enlarged(batch.lr, self._localiser.similarity(batch.lr), SIDE)
        return [batch.lr, warped.clamp(0, 1), self._truth(batch)]
