"""Discriminators that learn beside a network: X. Yu's with his rule for who learns when, and VividGAN's critics."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from hallucinators.networks.discriminator import Discriminator
from hallucinators.training.steps import distributed
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import adversarial, discriminator
from hallucinators.training.steps.schedule import set_rates

MARGIN = 0.3
"""Of cross-entropy: below it a discriminator is too sure, beyond 1 - it too unsure of one half of its batch."""
ADVERSARIAL = 0.01 / 4
"""Weight of the adversarial term: Yu's 0.01 goes with errors in [-1, 1], whose squares are four times ours."""
RATE = 5e-4
"""Greatest learning rate of a discriminator (Yu's: 1e-3, RMSprop). A fifth of it keeps it unsure, and by the rule below
unheard, for a hundred steps."""

BALANCED = 0.3
"""A discriminator that is surer than this of real and of hallucinated faces alike waits for the others: the rule of
Yu's code (methods: D is left alone where both halves of its loss are below the margin)."""


class Adversary:
    """A discriminator, its optimiser, and who may learn from it."""

    def __init__(self, net: Discriminator, rate: float = RATE) -> None:
        """Say which network, and its greatest learning rate."""
        self.net = net
        group = {"params": list(net.parameters()), "lr": rate, "greatest": rate}
        self.optimiser: Optimizer = Adam([group], betas=(0.5, 0.999))

    def learn(self, images: Tensor, truth: Tensor, share: float) -> tuple[dict[str, float], bool]:
        """One step of the discriminator, unless it is too sure already.

        Yu's rule (XinYuANU/JFFH, adverserial_*.lua): the discriminator waits where its loss on either half is below
        the margin; what it judges waits where either is above 1 - the margin; where both would wait, neither does.

        Args:
            images: hallucinated, (N, 3, 128, 128); they get no gradient.
            truth: real ones, (N, 3, 128, 128).
            share: of the greatest learning rate.

        Returns:
            Its losses on real and on hallucinated faces, means over processes; whether its judgement is to be learned
            from.
        """
        set_rates(self.optimiser, share)
        real = functional.softplus(-self.net(truth)).mean()
        fake = functional.softplus(self.net(images.detach())).mean()
        both = distributed.means([float(real.detach()), float(fake.detach())])  # all processes must decide alike
        waits, judges = min(both) < MARGIN, max(both) <= 1 - MARGIN
        if waits and not judges:
            waits, judges = False, True
        if not waits:
            descend(real + fake, self.optimiser, name="discriminator", limit=1.0)
        return {"d_real": both[0], "d_fake": both[1]}, judges

    def judge(self, images: Tensor) -> Tensor:
        """-log D for images with a graph; the discriminator itself learns nothing from it."""
        self.net.requires_grad_(False)
        loss = adversarial(self.net(images))
        self.net.requires_grad_(True)
        return loss


class Critic:
    """A discriminator and its optimiser."""

    def __init__(self, net: nn.Module, rate: float) -> None:
        self.net = net
        group = {"params": list(net.parameters()), "lr": rate, "greatest": rate}
        self.optimiser = Adam([group], betas=(0.5, 0.999))

    def judge(self, images: Tensor) -> Tensor:
        """Equation 8 for images with a graph; the discriminator itself learns nothing from it."""
        self.net.requires_grad_(False)
        loss = adversarial(self.net(images))
        self.net.requires_grad_(True)
        return loss

    def learn(self, images: Tensor, truth: Tensor, share: float, *, name: str) -> float:
        """One step down equation 7, unless it is sure enough already, over all processes; returns the loss."""
        set_rates(self.optimiser, share)
        loss = discriminator(self.net(truth), self.net(images.detach()))
        (mean,) = distributed.means([float(loss.detach())])  # all processes must decide alike, or none comes back
        if mean < 2 * BALANCED:
            return float(loss.detach())
        return descend(loss, self.optimiser, name=name, limit=1.0)
