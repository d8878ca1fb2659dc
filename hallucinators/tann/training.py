"""TANN's training: its losses, its one stage, and the one before it; the network is in `hallucinators.tann.network`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from bench.faces.pairs.pack import SIDE
from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.perceptual import Perceptual, perceptual
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.tann.network import PRESETS, Hallucination, TannNet
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.adversary import ADVERSARIAL, Adversary
from hallucinators.training.steps.alignment import alignment
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.placement import WEIGHT, GeometryStage
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.training.steps.task import Task

STAGES = ("geometry", "image")
DEFAULT_STEPS = {"geometry": 6000, "image": 1500}
CRITIC_WIDTH = {"paper": 1.0, "compact": 0.25}
PERCEPTUAL = 0.01 / 4
TRIPLET = 1e-4 / 4
"""Weights of the authors' code, 0.01 and 1e-4, over four: theirs go with squared errors in [-1, 1]."""
LATE = 0.5
"""Share of the steps after which the adversary joins: before there is a face, noise pleases it."""


class ImageStage:
    """The generator with pixels, perceptual distance, triplets and adversary."""

    name = "tann"
    averaged: tuple[str, ...] = ("net",)

    def __init__(
        self,
        net: TannNet,
        critic: Discriminator,
        *,
        steps: int,
        perceptual: Perceptual | None = None,
        rate: float = 1e-3,
        late: float = LATE,
    ) -> None:
        """Say what is trained.

        Args:
            net: the generator.
            critic: its discriminator.
            steps: of the whole stage.
            perceptual: the perceptual loss; None leaves it out.
            rate: greatest learning rate.
            late: share of the steps after which the adversary joins.
        """
        self._net, self._steps, self._perceptual, self._late = net, steps, perceptual, late
        self._adversary = Adversary(critic)
        group = {"params": list(net.parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The generator and its discriminator."""
        return {"net": self._net, "critic": self._adversary.net}

    def optimisers(self) -> dict[str, Optimizer]:
        """One each."""
        return {"net": self._optimiser, "critic": self._adversary.optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the discriminator, where it takes part, and one of the generator."""
        share = rate_at(step, self._steps)
        set_rates(self._optimiser, share)
        found = self._net.hallucinate(batch.lr)
        terms = {"pixel": (1.0, pixel(found.image, batch.hr))}
        if batch.flow is not None:
            terms["alignment"] = (WEIGHT, alignment(found.similarity, batch))
        if self._perceptual is not None:
            terms["perceptual"] = (PERCEPTUAL, self._perceptual(found.image, batch.hr))
        triplets = self._triplets(found, batch)
        if triplets is not None:
            terms["triplet"] = (TRIPLET, triplets)
        told: dict[str, float] = {}
        if step >= self._late * self._steps:
            told, judges = self._adversary.learn(found.image, batch.hr, share)
            if judges:
                terms["adversarial"] = (ADVERSARIAL, self._adversary.judge(found.image))
        total = torch.stack([weight * term for weight, term in terms.values()]).sum()
        told["total"] = descend(total, self._optimiser, name="L_TANN", limit=1.0)
        return told | {name: float(term.detach()) for name, (_, term) in terms.items()}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the face; where the batches tell, by how many pixels of 128 the first transformer is off."""
        found = self._net.hallucinate(batch.lr)
        told = {"psnr_db": psnr_db(found.image, batch.hr)}
        if batch.flow is not None:
            told["alignment_px"] = float(alignment(found.similarity, batch)) * SIDE / 2
        return told

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, hallucinated, truth."""
        return [batch.lr, self._net(batch.lr).clamp(0, 1), batch.hr]

    def _triplets(self, found: Hallucination, batch: Batch) -> Tensor | None:
        """Embedding against those of the own and of another's frontal face; None for a batch of one."""
        if len(batch) < 2:
            return None
        training = self._net.training
        self._net.eval()  # frontal faces stand in no statistics: they are not what is hallucinated
        with torch.no_grad():
            frontal = functional.interpolate(batch.hr, batch.lr.shape[-1:] * 2, mode="bicubic", antialias=True)
            positive = self._net.embedding(frontal.clamp(0, 1))
        self._net.train(training)
        return triplet(found.embedding, positive, positive.roll(1, 0), batch.face != batch.face.roll(1, 0))


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, counts: Tensor) -> Tensor:
    """Mean squared distance to the own frontal face, where another's is as near or nearer.

    As in the authors' code: margin 0, embeddings as they are, and only the anchor is moved, towards its positive. (Its
    own gradient would push it from the negative too.)

    Args:
        anchor: embeddings of non-frontal faces, (N, D).
        positive: of the same people's frontal faces, (N, D).
        negative: of other people's, (N, D).
        counts: whether the negative is another person, bool (N,).
    """
    positive, negative = positive.detach().float(), negative.detach().float()
    near, far = ((anchor.float() - other).square().mean(1) for other in (positive, negative))
    return (near * (counts & (near >= far))).mean()


def stages(options: Options) -> list[Stage]:
    """Where the face is, and the paper's one stage.

    Raises:
        UsageError: an unknown preset, size or stage.
        MissingError: the file of VGG-19's weights is not there.
    """
    steps = {name: options.steps_of(name, DEFAULT_STEPS[name], STAGES) for name in STAGES}
    facts_of(options)
    compare = perceptual(options.identity, options.device)

    def geometry(folder: Path) -> Task:
        return GeometryStage("tann-geometry", _net(options), alignment, lambda b: b.hr, steps=steps["geometry"])

    def image(folder: Path) -> Task:
        net = _net(options)
        if steps["geometry"]:
            net.load_state_dict(checkpoint.finished(folder / "geometry")["net"])
        critic = Discriminator(width=CRITIC_WIDTH[options.preset], dropout="channel")
        return ImageStage(net, critic, steps=steps["image"], perceptual=compare)

    makers = {"geometry": geometry, "image": image}
    return [Stage(n, makers[n], steps[n], (options.lr,), flow=True) for n in STAGES if steps[n]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Raises:
        DataError: it is not finished.
    """
    net, facts = _net(options), facts_of(options, trained)
    net.load_state_dict(checkpoint.finished(folder / "image")["net"])
    save_weights(out, net, facts)
    return facts


def facts_of(options: Options, trained: Mapping[str, Any] | None = None) -> Facts:
    """The network that options ask for."""
    options.refuse_unknown(PRESETS)
    return Facts("tann", options.lr, options.preset, {**(trained or {})})


def _net(options: Options) -> TannNet:
    torch.manual_seed(0)  # the same first weights in every stage and process
    return TannNet(lr=options.lr, preset=options.preset)
