"""How a protocol wants expressions to be classified."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import UsageError

ClassifierName = Literal["small", "vgg16"]
TrainOn = Literal["hallucinated", "hr"]


@dataclass(frozen=True, slots=True)
class ClassifierPlan:
    """Settings of the classification; attribute ``classification`` of protocols of a `bench.studies.ExpressionSet`.

    Attributes:
        classifier: name of the network.
        weights: file of VGG-16 trained on ImageNet; None for random initial weights.
        train_on: training faces: faces that the chain hallucinates, or frontal HR faces. Test faces are always those
            that the chain hallucinates.
        epochs: passes over the training faces; 0 takes the network's default.
        seed: of the initial weights, the order of faces and their augmentation.
        references: whether frontal HR faces and LR faces enlarged by bicubic interpolation are classified too.
        tested: folds that are tested; empty tests each.
        trained: folds for training, without the tested one; empty takes all others.
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
