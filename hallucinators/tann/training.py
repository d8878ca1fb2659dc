"""TANN's training: its losses, its one stage, and the one before it; the network is in `hallucinators.tann.network`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim import Adam

from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.perceptual import Perceptual, perceptual
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.tann.network import PRESETS, Hallucination, TannNet
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.adversary import YU_RATE, YU_WEIGHT, Adversary, balance
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.placement import PIXELS, WEIGHT, GeometryStage, frontal_placement
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.training.steps.task import Task

DEFAULT_STEPS = {"geometry": 6000, "image": 1500}
CRITIC_WIDTH = {"paper": 1.0, "compact": 0.25}
PERCEPTUAL = 0.01 / 4
TRIPLET = 1e-4 / 4
"""Weights of the authors' code, 0.01 and 1e-4, divided by four: the authors have squared errors in [-1, 1]."""
ADVERSARY_START = 0.5
"""Share of the steps after which the adversarial term is used: before a face is visible, it rewards noise."""


class ImageStage(NetworkTask):
    """The generator with pixel loss, perceptual loss, triplet loss and adversary."""

    def __init__(
        self,
        net: TannNet,
        critic: Discriminator,
        *,
        steps: int,
        perceptual: Perceptual | None = None,
        rate: float = 1e-3,
        adversary_start: float = ADVERSARY_START,
    ) -> None:
        """Set up the stage.

        Args:
            net: the generator.
            critic: its discriminator.
            steps: of the whole stage.
            perceptual: the perceptual loss; None leaves it out.
            rate: greatest learning rate.
            adversary_start: share of the steps after which the adversarial term is used.
        """
        self._net, self._steps, self._perceptual, self._adversary_start = net, steps, perceptual, adversary_start
        self._adversary = Adversary(critic, YU_RATE, rule=balance, name="discriminator")
        optimiser = Adam([rate_group(net.parameters(), rate)], betas=(0.9, 0.99))
        super().__init__("tann", net, optimiser, adversaries={"critic": self._adversary})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the discriminator, where it takes part, and one of the generator."""
        share = rate_at(step, self._steps)
        set_rates(self._optimiser, share)
        result = self._net.hallucinate(batch.lr)
        terms = {"pixel": (1.0, pixel(result.image, batch.hr))}
        if batch.flow is not None:
            terms["alignment"] = (WEIGHT, frontal_placement(result.similarity, batch))
        if self._perceptual is not None:
            terms["perceptual"] = (PERCEPTUAL, self._perceptual(result.image, batch.hr))
        triplets = self._triplets(result, batch)
        if triplets is not None:
            terms["triplet"] = (TRIPLET, triplets)
        figures: dict[str, float] = {}
        if step >= self._adversary_start * self._steps:
            critic = self._adversary.update(result.image, batch.hr, share)
            figures = {"d_real": critic.real, "d_fake": critic.hallucinated}
            if critic.update_generator:
                terms["adversarial"] = (YU_WEIGHT, self._adversary.loss(result.image))
        total = torch.stack([weight * term for weight, term in terms.values()]).sum()
        figures["total"] = descend(total, self._optimiser, name="L_TANN", limit=1.0)
        return figures | {name: float(term.detach()) for name, (_, term) in terms.items()}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the face; with flow targets also the placement error of the first transformer, pixels of 128."""
        result = self._net.hallucinate(batch.lr)
        figures = {"psnr_db": psnr_db(result.image, batch.hr)}
        if batch.flow is not None:
            figures["alignment_px"] = float(frontal_placement(result.similarity, batch)) * PIXELS
        return figures

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, hallucinated face, truth."""
        return [batch.lr, self._net(batch.lr).clamp(0, 1), batch.hr]

    def _triplets(self, result: Hallucination, batch: Batch) -> Tensor | None:
        """The triplet loss of a batch; None for a batch of one, which has no other person."""
        if len(batch) < 2:
            return None
        training = self._net.training
        self._net.eval()  # frontal faces must not enter the batch statistics: they are not inputs of the method
        with torch.no_grad():
            frontal = functional.interpolate(batch.hr, batch.lr.shape[-1:] * 2, mode="bicubic", antialias=True)
            positive = self._net.embedding(frontal.clamp(0, 1))
        self._net.train(training)
        return triplet(result.embedding, positive, positive.roll(1, 0), batch.face != batch.face.roll(1, 0))


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, valid: Tensor) -> Tensor:
    """Mean squared distance to the positive, over the triplets whose negative is as near or nearer.

    As in the authors' code: margin 0, embeddings without normalisation, and only the anchor gets a gradient, towards
    its positive. (The gradient of a triplet loss would also push it away from the negative.)

    Args:
        anchor: embeddings of non-frontal faces, (N, D).
        positive: embeddings of frontal faces of the same people, (N, D).
        negative: embeddings of frontal faces of other people, (N, D).
        valid: whether the negative is another person, bool (N,).
    """
    positive, negative = positive.detach().float(), negative.detach().float()
    near, far = ((anchor.float() - other).square().mean(1) for other in (positive, negative))
    return (near * (valid & (near >= far))).mean()


def stages(options: Options) -> list[Stage]:
    """The geometry stage and the paper's one stage.

    Raises:
        UsageError: an unknown preset, size or stage.
        MissingError: the file of VGG-19's weights does not exist.
    """
    steps = options.stage_steps(DEFAULT_STEPS)
    facts_of(options)
    perceptual_loss = perceptual(options.identity, options.device)

    def geometry(folder: Path) -> Task:
        return GeometryStage("tann-geometry", _net(options), frontal_placement, lambda b: b.hr, steps=steps["geometry"])

    def image(folder: Path) -> Task:
        net = _net(options)
        if steps["geometry"]:
            net.load_state_dict(checkpoint.best_averages(folder / "geometry")["net"])
        critic = Discriminator(width=CRITIC_WIDTH[options.preset], dropout="channel")
        return ImageStage(net, critic, steps=steps["image"], perceptual=perceptual_loss)

    build = {"geometry": geometry, "image": image}
    return [Stage(n, build[n], steps[n], (options.lr,), flow=True) for n in steps if steps[n]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Raises:
        DataError: it is not finished.
    """
    net, facts = _net(options), facts_of(options, trained)
    net.load_state_dict(checkpoint.best_averages(folder / "image")["net"])
    save_weights(out, net, facts)
    return facts


def facts_of(options: Options, trained: Mapping[str, Any] | None = None) -> Facts:
    """The header of the weight file that these options lead to."""
    options.refuse_unknown(PRESETS)
    return Facts("tann", options.lr, options.preset, {**(trained or {})})


def _net(options: Options) -> TannNet:
    torch.manual_seed(0)  # the same initial weights in every stage and process
    return TannNet(lr=options.lr, preset=options.preset)
