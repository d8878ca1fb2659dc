"""Training of the flow network: first where things go, from the face engine's own flows, then how they look."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW, Optimizer

from bench.errors import UsageError
from bench.faces.pairs.pack import SIDE
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.training.teacher import Identity, identity_losses


class FlowTask:
    """Trains a `FlowCoarseNet`.

    Up to ``geometry_steps`` only flows are learned, which is cheap: their targets are exact, since the face engine
    knows where each point of the mesh went. Then all of it, by pixels and identity, the flows still held to their
    targets.
    """

    name = "vividgan-flow"
    averaged: tuple[str, ...] = ("net",)

    def __init__(
        self,
        net: FlowCoarseNet,
        *,
        steps: int,
        geometry_steps: int,
        identity: Identity | None = None,
        identity_weight: float = 0.1,
        apart: float = 0.2,
        rate: float = 4e-4,
    ) -> None:
        """Say how.

        Args:
            net: the network.
            steps: of the whole training; the rate falls to nothing at its end.
            geometry_steps: how many of them learn flows alone.
            identity: a recogniser that is not the ruler; None leaves the identity loss out.
            identity_weight: of its squared distance, against the mean absolute difference of pixels.
            apart: share in it of telling people apart (`identity_losses`).
            rate: greatest learning rate.
        """
        self._net, self._steps, self._geometry_steps = net, steps, geometry_steps
        self._identity, self._identity_weight, self._apart = identity, identity_weight, apart
        group = {"params": list(net.parameters()), "lr": rate, "greatest": rate}
        self._optimiser = AdamW([group], betas=(0.9, 0.98), weight_decay=1e-4)

    def modules(self) -> dict[str, nn.Module]:
        """The network."""
        return {"net": self._net}

    def optimisers(self) -> dict[str, Optimizer]:
        """Its optimiser."""
        return {"net": self._optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        losses: dict[str, Tensor] = {}
        if step < self._geometry_steps:
            flow, first, seen, carried = self._net.geometry_only(batch.lr)
            losses["pixel"] = 0.5 * (carried - functional.avg_pool2d(batch.hr, 2)).abs().mean()
        else:
            result = self._net(batch.lr)
            flow, first, seen = result.flow, result.first, result.seen
            losses["pixel"] = charbonnier(result.coarse - batch.hr)
            losses["edges"] = edges(result.coarse, batch.hr)
            losses["carried"] = 0.2 * (result.carried - batch.hr).abs().mean()
            if self._identity is not None:
                distance, confusion = identity_losses(result.coarse, batch.hr, batch.five, self._identity)
                losses["identity"] = self._identity_weight * distance
                losses["confusion"] = self._identity_weight * self._apart * confusion
        losses |= flow_losses(flow, first, seen, batch)
        total = torch.stack(list(losses.values())).sum()
        value = descend(total, self._optimiser, name="total", limit=1.0)
        return {"total": value, **{name: float(loss.detach()) for name, loss in losses.items()}}

    @torch.no_grad()
    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the coarse and of the carried face, error of the flow in pixels of 128 where the head is seen.

        With a teacher also ``objective``, what the coarse face is trained for, negative.
        """
        result = self._net(batch.lr)
        found = {"psnr_db": psnr_db(result.coarse, batch.hr), "carried_psnr_db": psnr_db(result.carried, batch.hr)}
        found["flow_px"] = float(flow_error(result.flow, batch))
        if self._identity is not None:
            distance, confusion = identity_losses(result.coarse, batch.hr, batch.five, self._identity)
            found |= {"identity": float(distance), "confusion": float(confusion)}
            taught = self._identity_weight * (distance + self._apart * confusion)
            found["objective"] = -float(charbonnier(result.coarse - batch.hr) + edges(result.coarse, batch.hr) + taught)
        return found

    @torch.no_grad()
    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, carried, coarse, truth."""
        result = self._net(batch.lr)
        return [batch.lr, result.carried.clamp(0, 1), result.coarse.clamp(0, 1), batch.hr]


def charbonnier(difference: Tensor) -> Tensor:
    """Mean of a smooth absolute value; 1 / 255 is where it turns from square to absolute."""
    return (difference.float().square() + (1 / 255) ** 2).sqrt().mean()


def edges(images: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels' differences, across and down.

    Where the LR face does not tell an edge its best value is smooth, so a pattern that only a teacher likes costs.
    """
    off = images.float() - truth.float()
    return (off[..., 1:] - off[..., :-1]).abs().mean() + (off[..., 1:, :] - off[..., :-1, :]).abs().mean()


def flow_losses(flow: Tensor, first: Tensor, seen: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Distance of both flows from their targets, where the head is, most where it is seen; and what is seen."""
    target, weight, labels = _targets(batch)
    error = ((flow - target).abs() * weight).sum() / weight.sum()
    earlier = ((first - target).abs() * weight).sum() / weight.sum()
    return {
        "flow": 4 * error,
        "first_flow": 2 * earlier,
        "seen": 0.05 * functional.binary_cross_entropy_with_logits(seen, labels),
    }


def flow_error(flow: Tensor, batch: Batch) -> Tensor:
    """Mean distance of the own flow from its target in pixels of 128, over head pixels that the view shows."""
    target, _, labels = _targets(batch)
    shown = labels[:, :1] * labels[:, 2:]
    distance = (flow[:, :2] - target[:, :2]).square().sum(1, keepdim=True).sqrt() * (SIDE / 2)
    return (distance * shown).sum() / shown.sum()


def _targets(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Flow targets (N, 4, 32, 32) as `grid_sample` counts, their weights, and what is seen (N, 3, 32, 32)."""
    if batch.flow is None:
        raise UsageError("The flow network is trained on batches with flow targets; make the source with flow=True")
    target = (batch.flow[:, :4] + 0.5) * (2 / SIDE) - 1
    labels, head = batch.flow[:, 4:7], batch.flow[:, 6:7]
    weight = torch.cat([(0.15 + 0.85 * labels[:, k : k + 1]) * head + 0.03 for k in (0, 0, 1, 1)], 1)
    return target, weight, labels
