"""How expressions are classified: what a protocol asks of the kind of study that does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import UsageError

ClassifierName = Literal["small", "vgg16"]
TrainOn = Literal["hallucinated", "hr"]


@dataclass(frozen=True, slots=True)
class ClassifierPlan:
    """A protocol that hands out an `bench.studies.ExpressionSet` says so in its attribute ``classification``.

    Attributes:
        classifier: name of the network.
        weights: file of VGG-16 trained on ImageNet; None where the network starts from nothing.
        train_on: what the classifier sees of the people it learns from: what the chain makes of their LR faces, or
            their frontal HR faces. It is always tested on what the chain makes of LR faces.
        epochs: passes over the training faces; 0 takes the network's own number.
        seed: of the first weights, the order of faces and their augmentation.
        references: whether frontal HR faces and LR faces enlarged by bicubic interpolation are classified too.
        tested: folds that are tested; empty tests each.
        trained: folds to learn from, apart from the tested one; empty takes all others.
    """

    classifier: ClassifierName = "small"
    weights: Path | None = None
    train_on: TrainOn = "hallucinated"
    epochs: int = 0
    seed: int = 0
    references: bool = True
    tested: tuple[int, ...] = ()
    trained: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.epochs < 0 or self.seed < 0:
            raise UsageError(f"epochs is {self.epochs}, seed {self.seed}; neither can be negative")


def classification_of(protocol: object) -> ClassifierPlan:
    """The plan of a protocol, or the default one."""
    plan = getattr(protocol, "classification", None)
    return plan if isinstance(plan, ClassifierPlan) else ClassifierPlan()
