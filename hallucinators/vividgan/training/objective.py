"""The objective of VividGAN's stages: terms, weights, and equation 9 with its terms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from torch import Tensor

from hallucinators.training.steps.adversary import Adversary
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.losses import pixel
from hallucinators.vividgan.training import losses
from hallucinators.vividgan.training.losses import LOSS_SETS, Term, Weights
from hallucinators.vividgan.training.settings import OURS, VividSettings
from hallucinators.vividgan.training.teacher import Teacher, identity_losses


@dataclass(frozen=True)
class Objective:
    """Terms and weights of the losses.

    Attributes:
        terms: of `losses.LOSS_SETS`.
        weights: of equations 9 and 11.
        teacher: the teacher of the identity loss; None leaves the term out.
        late: share of the coarse stage after which identity and adversarial terms are used. Before the coarse face
            shows a person, noise on the average face lowers both, and the network stays there: measured, 16.0 dB and
            the same face for all inputs.
        identification_weight: weight, in the identity loss, of the cross-entropy of identification in the batch
            (`identity_losses`). Equation 5 alone raises all similarities equally: at 16 x 16 the cosine to the person's
            photograph rises while rank-1 falls.
        settings: reduction of the losses, and whether the teacher's images are jittered.
    """

    terms: Collection[Term] = LOSS_SETS["full"]
    weights: Weights = Weights()
    teacher: Teacher | None = None
    late: float = 0.5
    identification_weight: float = 0.0
    settings: VividSettings = OURS

    def early(self) -> Objective:
        """The same without the terms that are used late."""
        return replace(self, terms=frozenset(self.terms) - {"identity", "adversarial_coarse", "adversarial_fine"})

    def without_adversaries(self) -> Objective:
        """The same without the adversarial terms, whose meaning changes as the discriminators are trained."""
        return replace(self, terms=frozenset(self.terms) - {"adversarial_coarse", "adversarial_fine"})

    @property
    def has_identity(self) -> bool:
        """Whether there is an identity loss."""
        return self.teacher is not None and "identity" in self.terms

    def identity_loss(self, images: Tensor, batch: Batch) -> Tensor | None:
        """Equation 5 by the teacher, and identification by its weight; None without an identity loss."""
        if self.teacher is None or not self.has_identity:
            return None
        distance, confusion = identity_losses(
            images, batch.hr, batch.five, self.teacher, jitter=self.settings.identity_jitter
        )
        return distance + self.identification_weight * confusion if self.identification_weight else distance


def coarse_objective(
    preview: Tensor, batch: Batch, objective: Objective, adversary: Adversary | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Equation 9 and its terms."""
    factor = objective.settings.factor(preview[0].numel())
    terms = {"pixel": factor * pixel(preview, batch.hr)}
    symmetry = factor * losses.mirror_symmetry(preview) if "symmetry" in objective.terms else None
    identity = objective.identity_loss(preview, batch)
    adversarial = adversary.loss(preview) if adversary and "adversarial_coarse" in objective.terms else None
    for name, term in (("symmetry", symmetry), ("identity", identity), ("adversarial", adversarial)):
        if term is not None:
            terms[name] = term
    total = losses.coarse_total(
        terms["pixel"], symmetry=symmetry, identity=identity, adversarial=adversarial, weights=objective.weights
    )
    return total, terms
