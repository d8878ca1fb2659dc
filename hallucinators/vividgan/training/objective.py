"""What VividGAN's stages minimise: terms and weights, discriminators as critics, and equation 9."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.optim import Adam

from hallucinators.training.steps import distributed
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import set_rates
from hallucinators.vividgan.training import losses
from hallucinators.vividgan.training.losses import LOSS_SETS, Term, Weights
from hallucinators.vividgan.training.teacher import Identity, identity_losses

BALANCED = 0.3
"""A discriminator that is surer than this of real and of hallucinated faces alike waits for the others: the rule of
Yu's code (methods: D is left alone where both halves of its loss are below the margin)."""


@dataclass(frozen=True)
class Objective:
    """What counts, and how much.

    Attributes:
        terms: of `losses.LOSS_SETS`.
        weights: of equations 9 and 11.
        identity: the teacher; None leaves the term out.
        late: share of the coarse stage after which identity and adversarial terms join. Before the preview shows a
            person, they are pleased by noise over the average face, and the network stays there: measured, 16.0 dB
            and a face that is the same for all.
        apart: share, in the identity loss, of telling a person from the batch's others (`identity_losses`). Equation 5
            alone is pleased by what makes all faces likelier at once: at 16 x 16 the cosine to the own photograph rises
            while rank-1 falls.
    """

    terms: Collection[Term] = LOSS_SETS["full"]
    weights: Weights = Weights()
    identity: Identity | None = None
    late: float = 0.5
    apart: float = 0.0

    def early(self) -> Objective:
        """The same without what joins late."""
        kept = frozenset(self.terms) - {"identity", "adversarial_coarse", "adversarial_fine"}
        return replace(self, terms=kept)

    def lasting(self) -> Objective:
        """The same without the adversarial terms, which mean another thing at every step."""
        return replace(self, terms=frozenset(self.terms) - {"adversarial_coarse", "adversarial_fine"})

    @property
    def teaches_identity(self) -> bool:
        """Whether who somebody is counts, beside how near the pixels are."""
        return self.identity is not None and "identity" in self.terms

    def identity_loss(self, images: Tensor, batch: Batch) -> Tensor | None:
        """Equation 5 by the teacher, with ``apart``, or None."""
        if self.identity is None or not self.teaches_identity:
            return None
        distance, confusion = identity_losses(images, batch.hr, batch.five, self.identity)
        return distance + self.apart * confusion if self.apart else distance


class Critic:
    """A discriminator and its optimiser."""

    def __init__(self, net: nn.Module, rate: float) -> None:
        self.net = net
        group = {"params": list(net.parameters()), "lr": rate, "greatest": rate}
        self.optimiser = Adam([group], betas=(0.5, 0.999))

    def judge(self, images: Tensor) -> Tensor:
        """Equation 8 for images with a graph; the discriminator itself learns nothing from it."""
        self.net.requires_grad_(False)
        loss = losses.adversarial(self.net(images))
        self.net.requires_grad_(True)
        return loss

    def learn(self, images: Tensor, truth: Tensor, share: float, *, name: str) -> float:
        """One step down equation 7, unless it is sure enough already, over all processes; returns the loss."""
        set_rates(self.optimiser, share)
        loss = losses.discriminator(self.net(truth), self.net(images.detach()))
        (mean,) = distributed.means([float(loss.detach())])  # all processes must decide alike, or none comes back
        if mean < 2 * BALANCED:
            return float(loss.detach())
        return descend(loss, self.optimiser, name=name, limit=1.0)


def coarse_objective(
    preview: Tensor, batch: Batch, objective: Objective, critic: Critic | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Equation 9 and its terms."""
    terms = {"pixel": losses.pixel(preview, batch.hr)}
    symmetry = losses.mirror_symmetry(preview) if "symmetry" in objective.terms else None
    identity = objective.identity_loss(preview, batch)
    adversarial = critic.judge(preview) if critic and "adversarial_coarse" in objective.terms else None
    for name, term in (("symmetry", symmetry), ("identity", identity), ("adversarial", adversarial)):
        if term is not None:
            terms[name] = term
    total = losses.coarse_total(
        terms["pixel"], symmetry=symmetry, identity=identity, adversarial=adversarial, weights=objective.weights
    )
    return total, terms
