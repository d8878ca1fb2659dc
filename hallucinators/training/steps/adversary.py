"""A discriminator trained beside a network, and the rules that decide which of the two is updated in a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from hallucinators.training.steps import distributed
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import adversarial, discriminator_terms
from hallucinators.training.steps.schedule import rate_group, set_rates

MARGIN = 0.3
"""A cross-entropy below it means that the discriminator separates the two classes too well; above 1 - MARGIN, too
badly."""
YU_WEIGHT = 0.01 / 4
"""Weight of the adversarial term of TANN and TDAE: 0.01 in Yu's code, where errors in [-1, 1] have four times our
squares."""
YU_RATE = 5e-4
"""Greatest learning rate of their discriminators (Yu: 1e-3 with RMSprop). At 1e-4 the rule `balance` ignores them for
a hundred steps."""


class Updates(NamedTuple):
    """Which networks are updated in a step."""

    discriminator: bool
    generator: bool


Rule = Callable[[float, float], Updates]
"""Cross-entropies of the discriminator on real and on hallucinated faces (means over processes) to `Updates`."""


def pause_when_accurate(real: float, hallucinated: float) -> Updates:
    """VividGAN's rule: the discriminator is not updated while its mean cross-entropy is below `MARGIN`."""
    return Updates(discriminator=real + hallucinated >= 2 * MARGIN, generator=True)


def always(real: float, hallucinated: float) -> Updates:
    """Both networks are updated in every step, as the VividGAN paper states."""
    return Updates(discriminator=True, generator=True)


def balance(real: float, hallucinated: float) -> Updates:
    """Yu's rule (XinYuANU/JFFH, adverserial_*.lua).

    The discriminator is not updated where either cross-entropy is below `MARGIN`; the generator ignores it where either
    is above 1 - `MARGIN`. Where both conditions hold, both are updated.
    """
    accurate = min(real, hallucinated) < MARGIN
    reliable = max(real, hallucinated) <= 1 - MARGIN
    return Updates(discriminator=not accurate or not reliable, generator=reliable or accurate)


class DiscriminatorStep(NamedTuple):
    """Result of one step of a discriminator.

    Attributes:
        loss: equation 7 on the batch of this process.
        real: cross-entropy on real faces, mean over processes.
        hallucinated: cross-entropy on hallucinated faces, mean over processes.
        update_generator: whether the generator may use the adversarial term in this step.
    """

    loss: float
    real: float
    hallucinated: float
    update_generator: bool


class Adversary:
    """A discriminator with its optimiser and the rule for its updates."""

    def __init__(
        self,
        net: nn.Module,
        rate: float,
        *,
        rule: Rule = pause_when_accurate,
        name: str = "critic",
        limit: float | None = 1.0,
    ) -> None:
        """Set up the optimiser.

        Args:
            net: discriminator: faces (N, 3, 128, 128) in [0, 1] to logits (N,).
            rate: greatest learning rate.
            rule: decides which networks are updated.
            name: name of its loss in messages.
            limit: largest norm of its gradient; None for no clipping.
        """
        self.net, self._rule, self._name, self._limit = net, rule, name, limit
        self.optimiser: Optimizer = Adam([rate_group(net.parameters(), rate)], betas=(0.5, 0.999))

    def loss(self, images: Tensor) -> Tensor:
        """Equation 8 for hallucinated images; the discriminator gets no gradient."""
        self.net.requires_grad_(False)
        loss = adversarial(self.net(images))
        self.net.requires_grad_(True)
        return loss

    def update(self, images: Tensor, truth: Tensor, share: float) -> DiscriminatorStep:
        """One step of the discriminator down equation 7, unless the rule forbids it.

        Args:
            images: hallucinated faces (N, 3, 128, 128); they get no gradient.
            truth: real faces (N, 3, 128, 128).
            share: of the greatest learning rate.
        """
        set_rates(self.optimiser, share)
        real, hallucinated = discriminator_terms(self.net(truth), self.net(images.detach()))
        loss = real + hallucinated
        # Means over processes, because all processes must take the same decision.
        of_real, of_hallucinated = distributed.means([float(real.detach()), float(hallucinated.detach())])
        updates = self._rule(of_real, of_hallucinated)
        if updates.discriminator:
            descend(loss, self.optimiser, name=self._name, limit=self._limit)
        return DiscriminatorStep(float(loss.detach()), of_real, of_hallucinated, updates.generator)
