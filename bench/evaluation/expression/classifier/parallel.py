"""Many classifiers at once, each trained and asked in a process of its own.

A network as small as these gains little from a second thread: on two cores a step takes 51 ms where two processes
train, 61 where one does by two threads, and twenty classifiers 322 s in place of 338. What is learned does not depend
on how many processors there are, unless they are more than folds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from threading import Thread

import numpy as np
from numpy.typing import NDArray

from bench.devices import cpu_threads
from bench.errors import BenchError
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.images import ByteImages, FloatImages


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one classifier learns, and what it is then asked.

    Attributes:
        images: RGB uint8 (N, S, S, 3), S the side of the classifier's faces.
        targets: class of each, int64 (N,).
        classes: how many classes there are.
        plan: network, epochs, seed.
        fold: with the seed, of everything drawn.
        shown: faces that it is asked about, RGB uint8 (M, S, S, 3), M >= 1.
    """

    images: ByteImages
    targets: NDArray[np.int64]
    classes: int
    plan: ClassifierPlan
    fold: int
    shown: ByteImages


@dataclass(frozen=True, slots=True)
class Share:
    """How the processors are shared out.

    Attributes:
        processes: that train at once.
        threads: of each; 0 leaves torch's own choice.
        device: torch device of all.
    """

    processes: int
    threads: int
    device: str

    @classmethod
    def of(cls, folds: int, *, threads: int, device: str) -> Share:
        """Share ``threads`` (0: all there are) among so many folds; a device that is no processor has one process.

        Folds count and not classifiers, of which other hallucinators may need fewer: what all are compared with is
        trained alike for all.
        """
        if device != "cpu":
            return cls(1, threads, device)
        there = cpu_threads(threads)
        processes = max(1, min(folds, there))
        return cls(processes, there // processes, device)


def taught(lesson: Lesson, share: Share) -> FloatImages:
    """Train a classifier and ask it: probabilities of the classes, float32 (M, classes).

    Raises:
        DataError, BenchError: as `bench.evaluation.expression.classifier.training.train`.
    """
    from bench.evaluation.expression.classifier.training import predict, train

    network = train(
        lesson.images,
        lesson.targets,
        lesson.classes,
        lesson.plan,
        fold=lesson.fold,
        device=share.device,
        threads=share.threads,
    )
    return predict(network, lesson.shown, lesson.plan, threads=share.threads)


def _taught_apart(lesson: Lesson, share: Share, starter: int) -> FloatImages:
    _end_with(starter)
    return taught(lesson, share)


@cache
def _end_with(starter: int) -> None:
    """Let this process end when the one that started it is gone: killed, it cannot say so, and this one would wait."""

    def watch() -> None:
        while os.getppid() == starter:
            time.sleep(1)
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def all_taught(lessons: Iterable[Lesson], count: int, share: Share) -> Iterator[FloatImages]:
    """Answers of many classifiers, in the order of their lessons, each as soon as it and those before it are done.

    Args:
        lessons: taken one by one, as processes become free, perhaps by another thread.
        count: how many they are; for one alone no process is started.
        share: processes and threads.

    Raises:
        DataError, BenchError: as `taught`; a process that died is named.
    """
    if min(count, share.processes) < 2:
        yield from (taught(lesson, share) for lesson in lessons)
        return
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with parallel_config("loky", n_jobs=min(count, share.processes), inner_max_num_threads=share.threads):
        at_once = Parallel(return_as="generator", max_nbytes=None)  # torch wants arrays that it may write to
        try:
            yield from at_once(delayed(_taught_apart)(lesson, share, os.getpid()) for lesson in lessons)
        except TerminatedWorkerError as error:
            raise BenchError(
                f"A process that trained a classifier died, perhaps for want of memory. {share.processes} ran at once; "
                "--threads 1 runs one. Classifiers that were finished are kept in the cache."
            ) from error
