"""Training of the flow network: first its flows, with the face engine's flows as targets, then its images."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from bench.errors import UsageError
from bench.faces.pairs.pack import SIDE
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.training.teacher import Teacher, identity_losses


class FlowTask(NetworkTask):
    """Trains a `FlowCoarseNet`.

    Up to ``geometry_steps`` only the flows are trained, which is fast; their targets are exact, since the face engine
    renders the views from a mesh. Then the whole network is trained with pixel and identity losses, and the flow losses
    stay.
    """

    def __init__(
        self,
        net: FlowCoarseNet,
        *,
        steps: int,
        geometry_steps: int,
        teacher: Teacher | None = None,
        identity_weight: float = 0.1,
        identification_weight: float = 0.2,
        rate: float = 4e-4,
    ) -> None:
        """Set up the task.

        Args:
            net: the network.
            steps: of the whole training; the rate falls to nearly 0 at its end.
            geometry_steps: number of the first steps that train flows alone.
            teacher: a recogniser that is not the one of reported figures; None leaves the identity loss out.
            identity_weight: weight of the identity loss.
            identification_weight: weight in it of the identification in the batch (`identity_losses`).
            rate: greatest learning rate.
        """
        self._net, self._steps, self._geometry_steps, self._teacher = net, steps, geometry_steps, teacher
        self._identity_weight, self._identification_weight = identity_weight, identification_weight
        optimiser = AdamW([rate_group(net.parameters(), rate)], betas=(0.9, 0.98), weight_decay=1e-4)
        super().__init__("vividgan-flow", net, optimiser)

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        losses: dict[str, Tensor] = {}
        if step < self._geometry_steps:
            flow, first, visible, warped = self._net.geometry_only(batch.lr)
            losses["pixel"] = 0.5 * (warped - functional.avg_pool2d(batch.hr, 2)).abs().mean()
        else:
            result = self._net(batch.lr)
            flow, first, visible = result.flow, result.first, result.visible
            losses["pixel"] = charbonnier(result.coarse - batch.hr)
            losses["edges"] = edges(result.coarse, batch.hr)
            losses["carried"] = 0.2 * (result.warped - batch.hr).abs().mean()
            if self._teacher is not None:
                distance, confusion = identity_losses(result.coarse, batch.hr, batch.five, self._teacher)
                losses["identity"] = self._identity_weight * distance
                losses["confusion"] = self._identity_weight * self._identification_weight * confusion
        losses |= flow_losses(flow, first, visible, batch)
        total = torch.stack(list(losses.values())).sum()
        value = descend(total, self._optimiser, name="total", limit=1.0)
        return {"total": value, **{name: float(loss.detach()) for name, loss in losses.items()}}

    @torch.no_grad()
    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the coarse and of the warped face, error of the flow in pixels of 128 where the head is visible.

        With a teacher also ``objective``, the negative loss of the coarse face.
        """
        result = self._net(batch.lr)
        figures = {"psnr_db": psnr_db(result.coarse, batch.hr), "carried_psnr_db": psnr_db(result.warped, batch.hr)}
        figures["flow_px"] = float(flow_error(result.flow, batch))
        if self._teacher is not None:
            distance, confusion = identity_losses(result.coarse, batch.hr, batch.five, self._teacher)
            figures |= {"identity": float(distance), "confusion": float(confusion)}
            identity = self._identity_weight * (distance + self._identification_weight * confusion)
            pixels = charbonnier(result.coarse - batch.hr) + edges(result.coarse, batch.hr)
            figures["objective"] = -float(pixels + identity)
        return figures

    @torch.no_grad()
    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, warped face, coarse face, truth."""
        result = self._net(batch.lr)
        return [batch.lr, result.warped.clamp(0, 1), result.coarse.clamp(0, 1), batch.hr]


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of a smooth absolute value, which is quadratic below about 1 / 255."""
    return (difference.float().square() + (1 / 255) ** 2).sqrt().mean()


def edges(images: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighbouring pixels, horizontal and vertical.

    Where the LR face does not determine an edge, the best prediction is smooth; so a pattern that only lowers the
    identity loss raises this one.
    """
    error = images.float() - truth.float()
    return (error[..., 1:] - error[..., :-1]).abs().mean() + (error[..., 1:, :] - error[..., :-1, :]).abs().mean()


def flow_losses(flow: Tensor, first: Tensor, visible: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Errors of the refined and of the first flow, weighted by visibility, and cross-entropy of the visibility."""
    target, weight, labels = _targets(batch)
    error = ((flow - target).abs() * weight).sum() / weight.sum()
    first_error = ((first - target).abs() * weight).sum() / weight.sum()
    return {
        "flow": 4 * error,
        "first_flow": 2 * first_error,
        "seen": 0.05 * functional.binary_cross_entropy_with_logits(visible, labels),
    }


def flow_error(flow: Tensor, batch: Batch) -> Tensor:
    """Mean error of the direct flow in pixels of 128, over the head pixels that the view shows."""
    target, _, labels = _targets(batch)
    visible = labels[:, :1] * labels[:, 2:]
    distance = (flow[:, :2] - target[:, :2]).square().sum(1, keepdim=True).sqrt() * (SIDE / 2)
    return (distance * visible).sum() / visible.sum()


def _targets(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Flow targets (N, 4, 32, 32) in `grid_sample`'s coordinates, their weights, and visibility (N, 3, 32, 32)."""
    if batch.flow is None:
        raise UsageError("The flow network is trained on batches with flow targets; create the source with flow=True")
    target = (batch.flow[:, :4] + 0.5) * (2 / SIDE) - 1
    labels, head = batch.flow[:, 4:7], batch.flow[:, 6:7]
    weight = torch.cat([(0.15 + 0.85 * labels[:, k : k + 1]) * head + 0.03 for k in (0, 0, 1, 1)], 1)
    return target, weight, labels
