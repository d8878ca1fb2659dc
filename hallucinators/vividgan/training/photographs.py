"""Training of the flow network on real photographs, beside its rendered pairs (beyond the paper).

A photograph left in its pose is its own truth: the network must restore it without turning it. A photograph of a person
with others has no pixel truth when it is frontalised; the teacher compares it with the person's other photographs.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW

from bench.align.template import FRAMES, TRUTH_FRAME
from hallucinators.networks.grids import transform_points
from hallucinators.training.data.photographs import People
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.vividgan.network.flow import HR, FlowCoarseNet, FlowResult, enlarge, fit_location, sample
from hallucinators.vividgan.network.turn_limits import ALWAYS, TurnLimits
from hallucinators.vividgan.training.flow import charbonnier, edges, flow_losses
from hallucinators.vividgan.training.teacher import Teacher, identity_losses

RESTORING = ("content", "fuse", "detail", "paint")
"""Parts that make the residual; the others estimate where pixels go."""
_NEVER = TurnLimits(1e6, 2e6, 0.0, (1.0, 1.0))
_IDENTITY, _IDENTIFICATION = 0.1, 0.75
_TEMPLATE, _PEOPLE, _TEMPERATURE = 0.15, 0.045, 0.1
_COLOURS = 0.5
_POSITION_PX, _POINT_PX = 1.0, 0.7


class PhotographTask(NetworkTask):
    """Trains a `FlowCoarseNet` on the batches of `PhotographSource`.

    Losses of photographs in their pose: pixels, edges, the teacher's identity and identification. Of people: the
    distance to the template of the person's other photographs, identification among all people, and the mean colours of
    the warped image. Of rendered pairs: those of `FlowTask`.
    """

    def __init__(
        self,
        net: FlowCoarseNet,
        people: People | None,
        *,
        steps: int,
        teacher: Teacher,
        rate: float = 3e-4,
        geometry_share: float = 0.1,
    ) -> None:
        """Set up the task.

        Args:
            net: the network, trained before.
            people: whose templates the batches have; None if they have none.
            steps: of the training.
            teacher: a recogniser that is not one of reported figures.
            rate: greatest learning rate of the parts that restore.
            geometry_share: share of it for the parts that estimate flows.
        """
        self._net, self._steps, self._teacher = net, steps, teacher
        self._templates = None if people is None else torch.from_numpy(people.templates)
        self._five = torch.tensor(np.array(FRAMES[TRUTH_FRAME]) * HR - 0.5, dtype=torch.float32)
        restoring = [p for name, p in net.named_parameters() if name.split(".")[0] in RESTORING]
        geometry = [p for name, p in net.named_parameters() if name.split(".")[0] not in RESTORING]
        groups = [rate_group(restoring, rate), rate_group(geometry, rate * geometry_share)]
        super().__init__("vividgan-flow-photographs", net, AdamW(groups, betas=(0.9, 0.98), weight_decay=1e-4))

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step on one kind of batch."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        if batch.template is not None:
            losses = self._person_losses(batch)
        else:
            result, truth, five = self._restore(batch)
            losses = self._face_losses(result, truth, five)
            if batch.in_pose is None:
                losses |= flow_losses(result.flow, result.first, result.visible, batch)
        total = torch.stack(list(losses.values())).sum()
        value = descend(total, self._optimiser, name="total", limit=1.0)
        return {"total": value, **{name: float(loss.detach()) for name, loss in losses.items()}}

    @torch.no_grad()
    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR and the teacher's losses of rendered pairs and of photographs in their pose; the negative loss."""
        result, truth, five = self._restore(batch)
        losses = self._face_losses(result, truth, five)
        figures = {"psnr_db": psnr_db(result.coarse, truth)}
        figures["identity"] = float(losses["identity"]) / _IDENTITY
        return figures | {"objective": -float(torch.stack(list(losses.values())).sum())}

    @torch.no_grad()
    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, warped face, coarse face, truth."""
        result, truth, _ = self._restore(batch)
        return [batch.lr, result.warped.clamp(0, 1), result.coarse.clamp(0, 1), truth.clamp(0, 1)]

    def _restore(self, batch: Batch) -> tuple[FlowResult, Tensor, Tensor]:
        """The result, its truth in the frontal frame, and the five points of the truth."""
        if batch.in_pose is None:
            return self._pass(batch, ALWAYS), batch.hr, batch.five
        result = self._pass(batch, _NEVER)
        with torch.no_grad(), torch.autocast(batch.lr.device.type, enabled=False):
            location = fit_location(result.flow.float(), result.visible.float(), self._net.frame)
            truth = sample(batch.hr, enlarge(transform_points(location, self._net.frame), HR))
            place = (batch.five + 0.5) * (2 / HR) - 1 - location[:, None, :, 2]
            five = (torch.linalg.solve(location[:, :, :2], place.mT).mT + 1) * (HR / 2) - 0.5
        return result, truth, five

    def _pass(self, batch: Batch, limits: TurnLimits) -> FlowResult:
        self._net.limits = limits
        try:
            result: FlowResult = self._net(batch.lr)
        finally:
            self._net.limits = ALWAYS
        return result

    def _face_losses(self, result: FlowResult, truth: Tensor, five: Tensor) -> dict[str, Tensor]:
        distance, confusion = identity_losses(result.coarse, truth, five, self._teacher)
        return {
            "pixel": charbonnier(result.coarse - truth),
            "edges": edges(result.coarse, truth),
            "identity": _IDENTITY * distance,
            "confusion": _IDENTITY * _IDENTIFICATION * confusion,
        }

    def _person_losses(self, batch: Batch) -> dict[str, Tensor]:
        """Losses against templates; the face is frontalised whatever its pose."""
        if batch.template is None or batch.person is None or self._templates is None:
            raise ValueError("a batch of people needs templates")
        result = self._pass(batch, ALWAYS)
        count, device = len(batch), batch.lr.device
        five = self._five.to(device) + _POSITION_PX * torch.randn(count, 1, 2, device=device)
        five = five + _POINT_PX * torch.randn(count, 5, 2, device=device)
        face = result.coarse
        if torch.rand(()) < 0.5:
            face = functional.avg_pool2d(functional.pad(face, (1, 1, 1, 1), mode="replicate"), 3, 1)
        embeddings = self._teacher(face, five).float()
        distances = torch.cdist(embeddings, self._templates.to(device)).square()
        mate = (embeddings - batch.template).square().sum(1)
        distances = distances.scatter(1, batch.person[:, None], mate[:, None])
        colours = functional.smooth_l1_loss(
            functional.avg_pool2d(result.coarse, 8), functional.avg_pool2d(result.warped.detach(), 8)
        )
        return {
            "template": _TEMPLATE * mate.mean(),
            "people": _PEOPLE * functional.cross_entropy(-distances / _TEMPERATURE, batch.person),
            "colours": _COLOURS * colours,
        }
