"""Telling a network's first spatial transformer where the face is: a stage before those of the papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.transformer import carried
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import rate_at, set_rates

WEIGHT = 0.3
"""Of the same term in the stages that follow, as in VividGAN's training."""
_POINTS = 9  # along each side


class Placing(Protocol):
    """A network whose first spatial transformer can be trained alone."""

    def similarity(self, lr: Tensor) -> Tensor:
        """Where it looks: float32 (N, 2, 3), output frame to LR picture, coordinates in [-1, 1] over the edges."""
        ...

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        """What that depends on."""
        ...


def upright_alignment(similarity: Tensor, batch: Batch) -> Tensor:
    """Mean distance of points carried by a similarity from where they are: upright turned face to LR picture.

    What `hallucinators.training.steps.alignment.alignment` is for the frontal face, for networks that leave the pose as
    it is. The points are a grid over the middle three quarters of the upright face, where the head is.

    Args:
        similarity: float32 (N, 2, 3), coordinates in [-1, 1] over the pictures' edges.
        batch: with upright faces and how they were moved.

    Returns:
        Scalar in the same coordinates; times 64 in pixels of 128.

    Raises:
        DataError: the batch does not say how its faces were moved.
    """
    if batch.similarity is None:
        raise DataError("alignment loss: the batches do not say how faces were moved; make their source with upright")
    axis = torch.linspace(-0.75, 0.75, _POINTS, device=similarity.device)
    points = torch.stack([axis.expand(_POINTS, _POINTS), axis[:, None].expand(_POINTS, _POINTS)]).flatten(1)
    moves, half = batch.similarity, SIDE / 2
    found = _moved(similarity, points)
    truth = (_moved(moves, points * half + half - 0.5) + 0.5) / half - 1
    return (found - truth).square().sum(1).add(1e-8).sqrt().mean()  # its slope at 0 would be undefined


def _moved(matrices: Tensor, points: Tensor) -> Tensor:
    """Points (2, P) by matrices (N, 2, 3): (N, 2, P). Written out, as autocast would multiply in bfloat16."""
    return (matrices[:, :, :2, None] * points).sum(2) + matrices[:, :, 2:]


class GeometryStage:
    """The first spatial transformer alone learns where the face is. Not of the papers.

    Learned from pixels alone, it stays near the identity on tiny faces turned by up to 45 degrees (see
    docs/training.md). It costs a small part of a step of the whole network.
    """

    averaged: tuple[str, ...] = ("net",)

    def __init__(
        self,
        name: str,
        net: nn.Module,
        distance: Callable[[Tensor, Batch], Tensor],
        truth: Callable[[Batch], Tensor],
        *,
        steps: int,
        rate: float = 1e-3,
    ) -> None:
        """Say what is trained.

        Args:
            name: of the task.
            net: the network, which is `Placing`.
            distance: of a similarity from what is true of a batch.
            truth: the faces that pictures carried by it are compared with, (N, 3, 128, 128).
            steps: of the whole stage.
            rate: greatest learning rate.
        """
        self.name, self._net, self._distance, self._truth, self._steps = name, net, distance, truth, steps
        placing: Placing = net  # type: ignore[assignment]  # a module and a protocol at once cannot be said
        self._placing = placing
        group = {"params": list(placing.alignment_parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The network."""
        return {"net": self._net}

    def optimisers(self) -> dict[str, Optimizer]:
        """One."""
        return {"net": self._optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        where = self._distance(self._placing.similarity(batch.lr), batch)
        return {"alignment": descend(where, self._optimiser, name="alignment", limit=1.0)}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the LR picture carried by the similarity; by how many pixels of 128 the similarity is off."""
        similarity, truth = self._placing.similarity(batch.lr), self._truth(batch)
        found = {"psnr_db": psnr_db(carried(batch.lr, similarity, SIDE), truth)}
        return found | {"alignment_px": float(self._distance(similarity, batch)) * SIDE / 2}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, carried, truth."""
        moved = carried(batch.lr, self._placing.similarity(batch.lr), SIDE)
        return [batch.lr, moved.clamp(0, 1), self._truth(batch)]
