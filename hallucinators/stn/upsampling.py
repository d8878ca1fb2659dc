"""How super-resolvers of upright faces are trained: by pixels, then with a discriminator where they have one.

They see what the finished aligner makes of unaligned LR faces; the truth is the same face, upright and in its pose.

A method says what is its own in an `Upsampler`, and its ``stages`` and ``export`` are that of the `Upsampler`::

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
from torch.optim import Adam, Optimizer

from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.stn.aligned import frozen_aligner
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.adversary import Critic
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.training.steps.task import Task

Aligned = Callable[[Tensor], Tensor]
"""Unaligned LR faces (N, 3, s, s) to upright ones."""
Terms = Callable[[nn.Module, Tensor, Batch], tuple[Tensor, dict[str, Tensor]]]
"""Network, upright LR faces and their batch, to faces (N, 3, 128, 128) and weighted losses by name, which are added."""
PRESETS = ("paper", "compact")


def pixel_terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """The mean squared error to the upright face, and nothing else."""
    images = network(aligned)
    return images, {"pixel": pixel(images, batch.turned())}


class UpsamplingTask:
    """One stage: losses of the method's own, and those of a discriminator where it is given."""

    averaged: tuple[str, ...] = ("network",)

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
        """Say what is trained and how long.

        Args:
            name: of the task.
            network: upright LR faces (N, 3, s, s) to (N, 3, 128, 128), both around [0, 1].
            aligned: the finished aligner.
            steps: of the whole stage.
            terms: the method's own losses.
            critic: a discriminator, faces (N, 3, 128, 128) in [0, 1] to logits (N,), or None.
            adversarial: weight of its judgement.
            rate: greatest learning rate of the network.
            critic_rate: that of the discriminator.
        """
        self.name, self._network, self._aligned, self._steps = name, network, aligned, steps
        self._terms, self._weight = terms, adversarial
        self._critic = Critic(critic, critic_rate) if critic is not None else None
        group = {"params": list(network.parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The network and its discriminator."""
        return {"network": self._network} | ({"critic": self._critic.net} if self._critic else {})

    def optimisers(self) -> dict[str, Optimizer]:
        """One each."""
        found: dict[str, Optimizer] = {"network": self._optimiser}
        return found | ({"critic": self._critic.optimiser} if self._critic else {})

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the network, then one of the discriminator."""
        share = rate_at(step, self._steps)
        set_rates(self._optimiser, share)
        images, terms = self._terms(self._network, self.aligned(batch.lr), batch)
        total = torch.stack(list(terms.values())).sum()
        if self._critic:
            terms["adversarial"] = self._critic.judge(images)
            total = total + self._weight * terms["adversarial"]
        told = {"total": descend(total, self._optimiser, name="total", limit=1.0)}
        told |= {name: float(term.detach()) for name, term in terms.items()}
        if self._critic:
            told["critic"] = self._critic.learn(images, batch.turned(), share, name="critic")
        return told

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR to the upright face."""
        return {"psnr_db": psnr_db(self._network(self.aligned(batch.lr)), batch.turned())}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, aligned, super-resolved, truth."""
        aligned = self.aligned(batch.lr)
        return [batch.lr, aligned, self._network(aligned).float().clamp(0, 1), batch.turned()]

    def aligned(self, lr: Tensor) -> Tensor:
        """Upright LR faces; no gradients, and float32 whatever the step is computed in."""
        with torch.no_grad(), torch.autocast(lr.device.type, enabled=False):
            return self._aligned(lr.float())


@dataclass(frozen=True, kw_only=True)
class Upsampler:
    """A method: what is trained, how long, by which losses.

    Attributes:
        build: the network of a preset and of a side of LR faces, with first weights.
        steps: of its stages by name, in order: ``pixels`` and, where it has a discriminator, ``adversarial``.
        terms: its own losses, made of the options (an unknown file is to be met there, before anything is rendered);
            the second argument is the stage.
        critic: the discriminator of a preset; needed by the stage ``adversarial``.
        adversarial: weight of its judgement.
        rates: greatest learning rate of the first stage by preset.
        adversarial_rate: that of the second.
        flow: whether batches say where points of the face went.
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
        """The stages that are asked for.

        Raises:
            UsageError: an unknown preset, size or stage.
            MissingError: the aligner is not trained yet.
            DataError: its file is damaged or of another network.
        """
        options.refuse_unknown(PRESETS)
        known = tuple(self.steps)
        steps = {name: options.steps_of(name, self.steps[name], known) for name in known}
        terms = {name: self.terms(options, name) for name in known}
        aligner = frozen_aligner(options)

        def maker(name: str) -> Callable[[Path], Task]:
            def make(folder: Path) -> Task:
                late = name == "adversarial"
                network = self._network(options)
                if late and steps.get("pixels"):
                    network.load_state_dict(checkpoint.finished(folder / "pixels")["network"])
                return UpsamplingTask(
                    f"{options.method}-{name}",
                    network,
                    aligner,
                    steps=steps[name],
                    terms=terms[name],
                    critic=self.critic(options.preset) if late and self.critic else None,
                    adversarial=self.adversarial,
                    rate=self.adversarial_rate if late else self.rates[options.preset],
                )

            return make

        return [Stage(n, maker(n), steps[n], (options.lr,), flow=self.flow, upright=True) for n in known if steps[n]]

    def export(self, options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
        """Write the weight file of the last finished stage.

        Args:
            options: those it was trained with.
            folder: of the training.
            out: the file.
            trained: what the card says of it.

        Raises:
            DataError: no stage is finished.
        """
        options.refuse_unknown(PRESETS)
        network = self._network(options)
        asked = [name for name in self.steps if options.steps.get(name) != 0]
        done = [name for name in asked if checkpoint.best_path(folder / name) is not None]
        last = (done or list(self.steps))[-1]
        averages = checkpoint.finished(folder / last)
        if last == "adversarial":  # a discriminator costs PSNR: the best by it learned the least from it
            averages = (checkpoint.newest(folder / last, lambda text: None) or {"averages": averages})["averages"]
        network.load_state_dict(averages["network"])
        facts = Facts(options.method, options.lr, options.preset, trained={**trained})
        save_weights(out, network, facts)
        return facts

    def _network(self, options: Options) -> nn.Module:
        torch.manual_seed(0)  # the same first weights in every stage and process
        return self.build(options.preset, options.lr)
