"""Training of super-resolution networks for upright faces: with pixels, then with a discriminator if they have one.

Their input is the output of the trained aligner for unaligned LR faces; the truth is the same face, upright and in the
same pose.

A method describes itself by an `Upsampler`, and uses its ``stages`` and ``export``::

    METHOD = Upsampler(build=Net, steps={"pixels": 1500}, terms=lambda options, stage: my_terms)
    stages, export = METHOD.stages, METHOD.export
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam

from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.stn.aligned import frozen_aligner
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.adversary import Adversary
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.training.steps.task import Task

Aligned = Callable[[Tensor], Tensor]
"""Unaligned LR faces (N, 3, s, s) to upright ones."""
Terms = Callable[[nn.Module, Tensor, Batch], tuple[Tensor, dict[str, Tensor]]]
"""Network, upright LR faces and their batch, to faces (N, 3, 128, 128) and weighted losses by name, to be summed."""
PRESETS = ("paper", "compact")


def pixel_terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """The mean squared error to the upright face."""
    images = network(aligned)
    return images, {"pixel": pixel(images, batch.upright_faces())}


class UpsamplingTask(NetworkTask):
    """One stage: the losses of the method, and the adversarial loss if there is a discriminator."""

    def __init__(
        self,
        name: str,
        network: nn.Module,
        aligned: Aligned,
        *,
        steps: int,
        terms: Terms = pixel_terms,
        critic: nn.Module | None = None,
        adversarial: float = 1e-3,
        rate: float = 1e-3,
        critic_rate: float = 1e-4,
    ) -> None:
        """Set up the stage.

        Args:
            name: name of the task.
            network: upright LR faces (N, 3, s, s) to (N, 3, 128, 128), both around [0, 1].
            aligned: the trained aligner.
            steps: of the whole stage.
            terms: the losses of the method.
            critic: a discriminator, faces (N, 3, 128, 128) in [0, 1] to logits (N,), or None.
            adversarial: weight of the adversarial term.
            rate: greatest learning rate of the network.
            critic_rate: greatest learning rate of the discriminator.
        """
        self._aligned, self._steps, self._terms, self._weight = aligned, steps, terms, adversarial
        self._adversary = Adversary(critic, critic_rate) if critic is not None else None
        optimiser = Adam([rate_group(network.parameters(), rate)], betas=(0.9, 0.99))
        super().__init__(name, network, optimiser, key="network", adversaries={"critic": self._adversary})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the network, then one of the discriminator."""
        share = rate_at(step, self._steps)
        set_rates(self._optimiser, share)
        images, terms = self._terms(self._network, self.aligned(batch.lr), batch)
        total = torch.stack(list(terms.values())).sum()
        if self._adversary:
            terms["adversarial"] = self._adversary.loss(images)
            total = total + self._weight * terms["adversarial"]
        figures = {"total": descend(total, self._optimiser, name="total", limit=1.0)}
        figures |= {name: float(term.detach()) for name, term in terms.items()}
        if self._adversary:
            figures["critic"] = self._adversary.update(images, batch.upright_faces(), share).loss
        return figures

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR to the upright face."""
        return {"psnr_db": psnr_db(self._network(self.aligned(batch.lr)), batch.upright_faces())}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, aligned LR image, super-resolved face, truth."""
        aligned = self.aligned(batch.lr)
        return [batch.lr, aligned, self._network(aligned).float().clamp(0, 1), batch.upright_faces()]

    def aligned(self, lr: Tensor) -> Tensor:
        """Upright LR faces in float32, without gradients."""
        with torch.no_grad(), torch.autocast(lr.device.type, enabled=False):
            return self._aligned(lr.float())


@dataclass(frozen=True, kw_only=True)
class Upsampler:
    """A method: its network, the length of its stages and its losses.

    Attributes:
        build: the network of a preset and of a side of LR faces, with initial weights.
        steps: steps of its stages by name, in order: ``pixels`` and, with a discriminator, ``adversarial``.
        terms: its losses, from the options and the name of the stage. Called before anything is rendered, so that a
            missing file is reported early.
        critic: the discriminator of a preset; the stage ``adversarial`` needs it.
        adversarial: weight of the adversarial term.
        rates: greatest learning rate of the first stage by preset.
        adversarial_rate: that of the second stage.
        flow: whether batches have flow targets.
    """

    build: Callable[[str, int], nn.Module]
    steps: Mapping[str, int]
    terms: Callable[[Options, str], Terms] = lambda options, stage: pixel_terms
    critic: Callable[[str], nn.Module] | None = None
    adversarial: float = 1e-3
    rates: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(PRESETS, 1e-3))
    adversarial_rate: float = 1e-4
    flow: bool = False

    def stages(self, options: Options) -> list[Stage]:
        """The stages whose steps are not 0.

        Raises:
            UsageError: an unknown preset, size or stage.
            MissingError: the aligner's weights do not exist.
            DataError: its file is damaged or of another network.
        """
        options.refuse_unknown(PRESETS)
        steps = options.stage_steps(self.steps)
        terms = {name: self.terms(options, name) for name in steps}
        aligner = frozen_aligner(options)

        def builder(name: str) -> Callable[[Path], Task]:
            def build(folder: Path) -> Task:
                second = name == "adversarial"
                network = self._network(options)
                if second and steps.get("pixels"):
                    network.load_state_dict(checkpoint.best_averages(folder / "pixels")["network"])
                return UpsamplingTask(
                    f"{options.method}-{name}",
                    network,
                    aligner,
                    steps=steps[name],
                    terms=terms[name],
                    critic=self.critic(options.preset) if second and self.critic else None,
                    adversarial=self.adversarial,
                    rate=self.adversarial_rate if second else self.rates[options.preset],
                )

            return build

        return [Stage(n, builder(n), steps[n], (options.lr,), flow=self.flow, upright=True) for n in steps if steps[n]]

    def export(self, options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
        """Write the weight file of the last finished stage.

        Args:
            options: the options of the training.
            folder: its folder.
            out: the weight file.
            trained: facts about the training, for the header.

        Raises:
            DataError: no stage is finished.
        """
        options.refuse_unknown(PRESETS)
        network = self._network(options)
        planned = [name for name in self.steps if options.steps.get(name) != 0]
        done = [name for name in planned if checkpoint.best_path(folder / name) is not None]
        last = (done or list(self.steps))[-1]
        averages = checkpoint.best_averages(folder / last)
        if last == "adversarial":  # the adversary lowers PSNR, so the weights of the best PSNR used it least
            averages = (checkpoint.load_newest(folder / last, lambda text: None) or {"averages": averages})["averages"]
        network.load_state_dict(averages["network"])
        facts = Facts(options.method, options.lr, options.preset, trained={**trained})
        save_weights(out, network, facts)
        return facts

    def _network(self, options: Options) -> nn.Module:
        torch.manual_seed(0)  # the same initial weights in every stage and process
        return self.build(options.preset, options.lr)
