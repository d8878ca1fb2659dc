"""What VividGAN's stages minimise: terms and weights, and equation 9."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from torch import Tensor

from hallucinators.training.steps.adversary import Critic
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.losses import pixel
from hallucinators.vividgan.training import losses
from hallucinators.vividgan.training.losses import LOSS_SETS, Term, Weights
from hallucinators.vividgan.training.teacher import Identity, identity_losses


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


def coarse_objective(
    preview: Tensor, batch: Batch, objective: Objective, critic: Critic | None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Equation 9 and its terms."""
    terms = {"pixel": pixel(preview, batch.hr)}
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
