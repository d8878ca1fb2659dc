"""TDAE's training: its three networks (`hallucinators.tdae.network`) one after the other, and a stage before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.tdae.network import PRESETS, DecoderOne, DecoderTwo, Encoder, TdaeNet, shrink
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.adversary import YU_RATE, YU_WEIGHT, Adversary, balance
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.placement import PIXELS, WEIGHT, GeometryStage, upright_placement
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.training.steps.task import Task

DEFAULT_STEPS = {"geometry": 6000, "decoder1": 600, "encoder": 300, "decoder2": 600}
CRITIC_WIDTH = {"paper": 1.0, "compact": 0.25}
NOISE = {"paper": 0.1, "compact": 0.0}
"""Standard deviation of the noise on LR faces in [0, 1]. The compact preset is compared with methods trained without
noise."""
ADVERSARY_START = 0.5
"""Share of a decoder's steps after which the adversarial term is used: before a face is visible, it rewards noise."""
_LONGEST_WARM_UP = 200

Feed = Callable[[Tensor, float], Tensor]
"""LR faces and the standard deviation of the noise to add, to the input of a network."""


class DecoderStage(NetworkTask):
    """One of the decoders with pixel loss and adversary."""

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
        adversary_start: float = ADVERSARY_START,
    ) -> None:
        """Set up the stage.

        Args:
            name: name of the task.
            net: the decoder.
            critic: its discriminator.
            feed: computes its input from the batch's LR faces.
            steps: of the whole stage.
            noise: standard deviation of the noise in training.
            rate: greatest learning rate.
            adversary_start: share of the steps after which the adversarial term is used.
        """
        self._net, self._feed, self._noise = net, feed, noise
        self._steps, self._adversary_start = steps, adversary_start
        self._adversary = Adversary(critic, YU_RATE, rule=balance, name="discriminator")
        super().__init__(name, net, _adam(net, rate), adversaries={"critic": self._adversary})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the discriminator, where it takes part, and one of the decoder."""
        share = _share(step, self._steps)
        set_rates(self._optimiser, share)
        truth = batch.upright_faces()
        faces, similarity = self._decode(self._feed(batch.lr, self._noise))
        terms = {"pixel": (1.0, pixel(faces, truth))}
        if similarity is not None:
            terms["alignment"] = (WEIGHT, upright_placement(similarity, batch))
        figures: dict[str, float] = {}
        if step >= self._adversary_start * self._steps:
            critic = self._adversary.update(faces, truth, share)
            figures = {"d_real": critic.real, "d_fake": critic.hallucinated}
            if critic.update_generator:
                terms["adversarial"] = (YU_WEIGHT, self._adversary.loss(faces))
        total = torch.stack([weight * term for weight, term in terms.values()]).sum()
        figures["total"] = descend(total, self._optimiser, name=self.name, limit=1.0)
        return figures | {name: float(term.detach()) for name, (_, term) in terms.items()}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the face; of decoder 1 also the placement error of its first transformer, pixels of 128."""
        faces, similarity = self._decode(self._feed(batch.lr, 0.0))
        figures = {"psnr_db": psnr_db(faces, batch.upright_faces())}
        if similarity is not None:
            figures["alignment_px"] = float(upright_placement(similarity, batch)) * PIXELS
        return figures

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, input of the decoder, hallucinated face, truth."""
        inputs = self._feed(batch.lr, 0.0)
        return [batch.lr, inputs, self._decode(inputs)[0].clamp(0, 1), batch.upright_faces()]

    def _decode(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        if isinstance(self._net, DecoderOne):
            return self._net.hallucinate(inputs)
        return self._net(inputs), None


class EncoderStage(NetworkTask):
    """The encoder with pixel loss, on faces of the finished decoder 1."""

    def __init__(self, net: Encoder, feed: Feed, *, steps: int, noise: float = 0.0, rate: float = 1e-3) -> None:
        """Set up the stage; ``feed`` computes faces of 128 pixels from the batch's LR faces."""
        self._net, self._feed, self._steps, self._noise = net, feed, steps, noise
        super().__init__("tdae-encoder", net, _adam(net, rate))

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, _share(step, self._steps))
        faces = self._net(self._feed(batch.lr, self._noise))
        loss = pixel(faces, shrink(batch.upright_faces(), self._net.lr))
        return {"pixel": descend(loss, self._optimiser, name=self.name, limit=1.0)}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the LR face, and of decoder 1's face reduced by interpolation."""
        faces, truth = self._feed(batch.lr, 0.0), shrink(batch.upright_faces(), self._net.lr)
        before = psnr_db(shrink(faces, self._net.lr), truth)
        return {"psnr_db": psnr_db(self._net(faces), truth), "before_psnr_db": before}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, face of decoder 1, LR face of the encoder, true LR face."""
        faces = self._feed(batch.lr, 0.0)
        return [batch.lr, faces, self._net(faces).clamp(0, 1), shrink(batch.upright_faces(), self._net.lr)]


def _adam(net: nn.Module, rate: float) -> Optimizer:
    return Adam([rate_group(net.parameters(), rate)], betas=(0.9, 0.99))


def _share(step: int, steps: int) -> float:
    """Share of the greatest rate; stages are short, so the warm-up takes at most a fifth of their steps."""
    return rate_at(step, steps, warm=min(_LONGEST_WARM_UP, steps // 5))


def add_noise(lr: Tensor, noise: float) -> Tensor:
    """Add Gaussian noise of this standard deviation to LR faces; the result is in [0, 1]."""
    return (lr + noise * torch.randn_like(lr)).clamp(0, 1) if noise else lr


def stages(options: Options) -> list[Stage]:
    """Geometry, decoder 1, encoder, decoder 2.

    Raises:
        UsageError: an unknown preset, size or stage.
    """
    steps = options.stage_steps(DEFAULT_STEPS)
    facts_of(options)
    noise = NOISE[options.preset]

    def geometry(folder: Path) -> Task:
        net = _net(options).decoder1
        return GeometryStage("tdae-geometry", net, upright_placement, Batch.upright_faces, steps=steps["geometry"])

    def decoder1(folder: Path) -> Task:
        net = _net(options).decoder1
        if steps["geometry"]:
            net.load_state_dict(checkpoint.best_averages(folder / "geometry")["net"])
        return DecoderStage("tdae-decoder1", net, _critic(options), add_noise, steps=steps["decoder1"], noise=noise)

    def encoder(folder: Path) -> Task:
        whole = _frozen(options, folder, ("decoder1",))
        return EncoderStage(
            _net(options).encoder,
            _through(lambda lr: whole.decoder1(lr).clamp(0, 1)),
            steps=steps["encoder"],
            noise=noise,
        )

    def decoder2(folder: Path) -> Task:
        whole = _frozen(options, folder, ("decoder1", "encoder"))
        net, feed = _net(options).decoder2, _through(whole.aligned_lr)
        return DecoderStage("tdae-decoder2", net, _critic(options), feed, steps=steps["decoder2"], noise=noise)

    build = {"geometry": geometry, "decoder1": decoder1, "encoder": encoder, "decoder2": decoder2}
    return [Stage(n, build[n], steps[n], (options.lr,), upright=True) for n in steps if steps[n]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Raises:
        DataError: one of its stages is not finished.
    """
    facts = facts_of(options, trained)
    save_weights(out, _load(_net(options), folder, ("decoder1", "encoder", "decoder2")), facts)
    return facts


def facts_of(options: Options, trained: Mapping[str, Any] | None = None) -> Facts:
    """The header of the weight file that these options lead to."""
    options.refuse_unknown(PRESETS)
    return Facts("tdae", options.lr, options.preset, {**(trained or {})})


def _net(options: Options) -> TdaeNet:
    torch.manual_seed(0)  # the same initial weights in every stage and process
    return TdaeNet(lr=options.lr, preset=options.preset)


def _critic(options: Options) -> Discriminator:
    return Discriminator(width=CRITIC_WIDTH[options.preset], dropout="channel")


def _frozen(options: Options, folder: Path, parts: tuple[str, ...]) -> TdaeNet:
    """The networks of earlier stages without gradients, on the device."""
    whole = _load(_net(options), folder, parts).eval().requires_grad_(False)
    return whole.to(options.device).to(memory_format=torch.channels_last)


def _load(whole: TdaeNet, folder: Path, parts: tuple[str, ...]) -> TdaeNet:
    for part in parts:
        getattr(whole, part).load_state_dict(checkpoint.best_averages(folder / part)["net"])
    return whole


def _through(network: Callable[[Tensor], Tensor]) -> Feed:
    def feed(lr: Tensor, noise: float) -> Tensor:
        with torch.no_grad():
            return network(add_noise(lr, noise))

    return feed
