"""The training of one classifier as a stage of an engine, and how the cores of a machine are divided among several.

A network as small as these gains little from a second thread: on two cores a step takes 51 ms where two processes
train and 61 ms where one process trains with two threads; twenty classifiers take 322 s and 338 s. What is learned does
not depend on the number of cores, unless there are more cores than folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.devices import cpu_threads
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.images import ByteImages, FloatImages
from bench.progress import Progress


@dataclass(frozen=True, slots=True)
class Training:
    """What one classifier is trained on, and what it then classifies.

    Attributes:
        images: RGB uint8 (N, S, S, 3), S the side of the classifier's faces.
        targets: class of each, int64 (N,).
        classes: how many classes there are.
        plan: network, epochs, seed.
        fold: with the plan's seed, the seed of everything random.
        tested: faces to classify, RGB uint8 (M, S, S, 3), M >= 1.
    """

    images: ByteImages
    targets: NDArray[np.int64]
    classes: int
    plan: ClassifierPlan
    fold: int
    tested: ByteImages


@dataclass(frozen=True, slots=True)
class Division:
    """How the cores are divided.

    Attributes:
        processes: that train at once.
        threads: of each; 0 leaves torch's own choice.
        device: torch device of all.
    """

    processes: int
    threads: int
    device: str

    @classmethod
    def among(cls, folds: int, *, threads: int, device: str) -> Division:
        """Divide ``threads`` (0: all cores) among the folds; a device that is not the CPU has one process.

        Folds count and not classifiers: another hallucinator may need fewer of them, and classifiers that all
        hallucinators are compared with must be trained alike for all.
        """
        if device != "cpu":
            return cls(1, threads, device)
        available = cpu_threads(threads)
        processes = max(1, min(folds, available))
        return cls(processes, available // processes, device)


@dataclass(frozen=True, slots=True)
class TrainStage:
    """Trains the classifiers of a shard; ``division`` says on which device and with how many threads."""

    division: Division

    def __call__(self, shard: Sequence[Training], progress: Progress) -> list[FloatImages]:
        """Train each classifier and let it classify: probabilities of the classes, float32 (M, classes) each.

        Raises:
            DataError, BenchError: as `bench.evaluation.expression.classifier.training.train`.
        """
        results = []
        for training in shard:
            results.append(train_and_classify(training, self.division))
            progress(1)
        return results


def train_and_classify(training: Training, division: Division) -> FloatImages:
    """Train a classifier and let it classify: probabilities of the classes, float32 (M, classes).

    Raises:
        DataError, BenchError: as `bench.evaluation.expression.classifier.training.train`.
    """
    from bench.evaluation.expression.classifier.training import predict, train

    network = train(
        training.images,
        training.targets,
        training.classes,
        training.plan,
        fold=training.fold,
        device=division.device,
        threads=division.threads,
    )
    return predict(network, training.tested, training.plan, threads=division.threads)
