"""Training of classifiers as a stage of an engine, and the division of the cores among them.

Such small networks gain little from a second thread: on two cores a step takes 51 ms with two processes and 61 ms with
one process of two threads; twenty classifiers take 322 s and 338 s. The trained weights do not depend on the number of
cores, unless there are more cores than folds.
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
    """Training and test data of one classifier.

    Attributes:
        images: RGB uint8 (N, S, S, 3), S the side of the classifier's faces.
        targets: class of each, int64 (N,).
        classes: how many classes there are.
        plan: network, epochs, seed.
        fold: together with the plan's seed, seeds all random numbers.
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
        processes: number that train at the same time.
        threads: of each; 0 leaves the choice to torch.
        device: torch device of all.
    """

    processes: int
    threads: int
    device: str

    @classmethod
    def among(cls, folds: int, *, threads: int, device: str) -> Division:
        """Divide ``threads`` (0: all cores) among the folds; a device that is not the CPU has one process.

        The number of folds decides and not that of classifiers: it is the same for all hallucinators, so their shared
        reference classifiers are trained in the same way.
        """
        if device != "cpu":
            return cls(1, threads, device)
        available = cpu_threads(threads)
        processes = max(1, min(folds, available))
        return cls(processes, available // processes, device)


@dataclass(frozen=True, slots=True)
class TrainStage:
    """Trains the classifiers of a shard; ``division`` gives the device and the number of threads."""

    division: Division

    def __call__(self, shard: Sequence[Training], progress: Progress) -> list[FloatImages]:
        """Train each classifier and classify its test faces: probabilities of the classes, float32 (M, classes) each.

        Raises:
            DataError, BenchError: as `bench.evaluation.expression.classifier.training.train`.
        """
        results = []
        for training in shard:
            results.append(train_and_classify(training, self.division))
            progress(1)
        return results


def train_and_classify(training: Training, division: Division) -> FloatImages:
    """Train a classifier and classify its test faces: probabilities of the classes, float32 (M, classes).

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
