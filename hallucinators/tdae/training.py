"""TDAE's training: its three networks (`hallucinators.tdae.network`) one after the other, and a stage before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from bench.faces.pairs.pack import SIDE
from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.tdae.network import PRESETS, DecoderOne, DecoderTwo, Encoder, TdaeNet, shrunk
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.adversary import ADVERSARIAL, Adversary
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.placement import WEIGHT, GeometryStage, upright_alignment
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.training.steps.task import Task

STAGES = ("geometry", "decoder1", "encoder", "decoder2")
DEFAULT_STEPS = {"geometry": 6000, "decoder1": 600, "encoder": 300, "decoder2": 600}
CRITIC_WIDTH = {"paper": 1.0, "compact": 0.25}
NOISE = {"paper": 0.1, "compact": 0.0}
"""Standard deviation of the noise on LR faces in [0, 1]; the compact one is compared with others on faces without."""
LATE = 0.5
"""Share of a decoder's steps after which its adversary joins: before there is a face, noise pleases it."""
_MOST_WARM = 200

Feed = Callable[[Tensor, float], Tensor]
"""LR faces and the noise to add to them, to what a network is fed."""


class DecoderStage:
    """One of the decoders with pixels and adversary."""

    averaged: tuple[str, ...] = ("net",)

    def __init__(
        self,
        name: str,
        net: DecoderOne | DecoderTwo,
        critic: Discriminator,
        feed: Feed,
        *,
        steps: int,
        noise: float = 0.0,
        rate: float = 1e-3,
        late: float = LATE,
    ) -> None:
        """Say what is trained.

        Args:
            name: of the task.
            net: the decoder.
            critic: its discriminator.
            feed: makes its input of the batch's LR faces.
            steps: of the whole stage.
            noise: standard deviation of the noise in training.
            rate: greatest learning rate.
            late: share of the steps after which the adversary joins.
        """
        self.name, self._net, self._feed, self._noise = name, net, feed, noise
        self._steps, self._late, self._adversary = steps, late, Adversary(critic)
        self._optimiser = _adam(net, rate)

    def modules(self) -> dict[str, nn.Module]:
        """The decoder and its discriminator."""
        return {"net": self._net, "critic": self._adversary.net}

    def optimisers(self) -> dict[str, Optimizer]:
        """One each."""
        return {"net": self._optimiser, "critic": self._adversary.optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the discriminator, where it takes part, and one of the decoder."""
        share = _share(step, self._steps)
        set_rates(self._optimiser, share)
        truth = batch.turned()
        found, similarity = self._decode(self._feed(batch.lr, self._noise))
        terms = {"pixel": (1.0, pixel(found, truth))}
        if similarity is not None:
            terms["alignment"] = (WEIGHT, upright_alignment(similarity, batch))
        told: dict[str, float] = {}
        if step >= self._late * self._steps:
            told, judges = self._adversary.learn(found, truth, share)
            if judges:
                terms["adversarial"] = (ADVERSARIAL, self._adversary.judge(found))
        total = torch.stack([weight * term for weight, term in terms.values()]).sum()
        told["total"] = descend(total, self._optimiser, name=self.name, limit=1.0)
        return told | {name: float(term.detach()) for name, (_, term) in terms.items()}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the face; of decoder 1 also by how many pixels of 128 the first transformer is off."""
        found, similarity = self._decode(self._feed(batch.lr, 0.0))
        told = {"psnr_db": psnr_db(found, batch.turned())}
        if similarity is not None:
            told["alignment_px"] = float(upright_alignment(similarity, batch)) * SIDE / 2
        return told

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, what the decoder is fed, hallucinated, truth."""
        fed = self._feed(batch.lr, 0.0)
        return [batch.lr, fed, self._decode(fed)[0].clamp(0, 1), batch.turned()]

    def _decode(self, fed: Tensor) -> tuple[Tensor, Tensor | None]:
        if isinstance(self._net, DecoderOne):
            return self._net.hallucinate(fed)
        return self._net(fed), None


class EncoderStage:
    """The encoder with pixels, on faces of the finished decoder 1."""

    name = "tdae-encoder"
    averaged: tuple[str, ...] = ("net",)

    def __init__(self, net: Encoder, feed: Feed, *, steps: int, noise: float = 0.0, rate: float = 1e-3) -> None:
        """Say what is trained; ``feed`` makes faces of 128 pixels of the batch's LR faces."""
        self._net, self._feed, self._steps, self._noise = net, feed, steps, noise
        self._optimiser = _adam(net, rate)

    def modules(self) -> dict[str, nn.Module]:
        """The encoder."""
        return {"net": self._net}

    def optimisers(self) -> dict[str, Optimizer]:
        """One."""
        return {"net": self._optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, _share(step, self._steps))
        found = self._net(self._feed(batch.lr, self._noise))
        loss = pixel(found, shrunk(batch.turned(), self._net.lr))
        return {"pixel": descend(loss, self._optimiser, name=self.name, limit=1.0)}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the LR face, and of decoder 1's face merely shrunk."""
        faces, truth = self._feed(batch.lr, 0.0), shrunk(batch.turned(), self._net.lr)
        before = psnr_db(shrunk(faces, self._net.lr), truth)
        return {"psnr_db": psnr_db(self._net(faces), truth), "before_psnr_db": before}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, face of decoder 1, LR face made of it, true one."""
        faces = self._feed(batch.lr, 0.0)
        return [batch.lr, faces, self._net(faces).clamp(0, 1), shrunk(batch.turned(), self._net.lr)]


def _adam(net: nn.Module, rate: float) -> Optimizer:
    return Adam([{"params": list(net.parameters()), "lr": rate, "greatest": rate}], betas=(0.9, 0.99))


def _share(step: int, steps: int) -> float:
    """Share of the greatest rate; stages are short, and warm up for a fifth of their steps at most."""
    return rate_at(step, steps, warm=min(_MOST_WARM, steps // 5))


def noisy(lr: Tensor, noise: float) -> Tensor:
    """LR faces with Gaussian noise of a standard deviation, in [0, 1]."""
    return (lr + noise * torch.randn_like(lr)).clamp(0, 1) if noise else lr


def stages(options: Options) -> list[Stage]:
    """Where the face is, decoder 1, encoder, decoder 2.

    Raises:
        UsageError: an unknown preset, size or stage.
    """
    steps = {name: options.steps_of(name, DEFAULT_STEPS[name], STAGES) for name in STAGES}
    facts_of(options)
    noise = NOISE[options.preset]

    def geometry(folder: Path) -> Task:
        net = _net(options).decoder1
        return GeometryStage("tdae-geometry", net, upright_alignment, Batch.turned, steps=steps["geometry"])

    def decoder1(folder: Path) -> Task:
        net = _net(options).decoder1
        if steps["geometry"]:
            net.load_state_dict(checkpoint.finished(folder / "geometry")["net"])
        return DecoderStage("tdae-decoder1", net, _critic(options), noisy, steps=steps["decoder1"], noise=noise)

    def encoder(folder: Path) -> Task:
        whole = _finished(options, folder, ("decoder1",))
        return EncoderStage(
            _net(options).encoder,
            _fed_by(lambda lr: whole.decoder1(lr).clamp(0, 1)),
            steps=steps["encoder"],
            noise=noise,
        )

    def decoder2(folder: Path) -> Task:
        whole = _finished(options, folder, ("decoder1", "encoder"))
        net, feed = _net(options).decoder2, _fed_by(whole.realigned)
        return DecoderStage("tdae-decoder2", net, _critic(options), feed, steps=steps["decoder2"], noise=noise)

    makers = {"geometry": geometry, "decoder1": decoder1, "encoder": encoder, "decoder2": decoder2}
    return [Stage(n, makers[n], steps[n], (options.lr,), upright=True) for n in STAGES if steps[n]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Raises:
        DataError: one of its stages is not finished.
    """
    facts = facts_of(options, trained)
    save_weights(out, _filled(_net(options), folder, STAGES[1:]), facts)
    return facts


def facts_of(options: Options, trained: Mapping[str, Any] | None = None) -> Facts:
    """The network that options ask for."""
    options.refuse_unknown(PRESETS)
    return Facts("tdae", options.lr, options.preset, {**(trained or {})})


def _net(options: Options) -> TdaeNet:
    torch.manual_seed(0)  # the same first weights in every stage and process
    return TdaeNet(lr=options.lr, preset=options.preset)


def _critic(options: Options) -> Discriminator:
    return Discriminator(width=CRITIC_WIDTH[options.preset], dropout="channel")


def _finished(options: Options, folder: Path, parts: tuple[str, ...]) -> TdaeNet:
    """The networks of earlier stages, trained no more, on the device."""
    whole = _filled(_net(options), folder, parts).eval().requires_grad_(False)
    return whole.to(options.device).to(memory_format=torch.channels_last)


def _filled(whole: TdaeNet, folder: Path, parts: tuple[str, ...]) -> TdaeNet:
    for part in parts:
        getattr(whole, part).load_state_dict(checkpoint.finished(folder / part)["net"])
    return whole


def _fed_by(network: Callable[[Tensor], Tensor]) -> Feed:
    def feed(lr: Tensor, noise: float) -> Tensor:
        with torch.no_grad():
            return network(noisy(lr, noise))

    return feed
