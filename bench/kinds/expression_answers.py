"""What classifiers answer: one trained for each fold on the faces of the others, and never twice on the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.cache import Cache, CachedEmbedding
from bench.errors import BenchError
from bench.expressions.plan import ClassifierPlan
from bench.images import ByteImages, FloatImages
from bench.kinds.expression_faces import Faces
from bench.kinds.expression_figures import BICUBIC, FRONTAL_HR
from bench.prepared import Prepared
from bench.provenance import code_digest, digest_of
from bench.studies import ExpressionSet

MADE = ""
"""Name of the test on the faces that the chain made; the references have names."""


@dataclass(frozen=True)
class _Test:
    """Which faces a classifier learns from, and which it is asked about."""

    name: str
    trained_on: str
    tested_on: str


@dataclass
class _Lesson:
    """What a classifier learns."""

    run: Prepared
    plan: ClassifierPlan
    images: ByteImages
    targets: NDArray[np.int64]
    classes: int
    fold: int

    def chances(self, shown: ByteImages, store: Cache | None) -> FloatImages:
        """Probabilities of the classes, float32 (N, classes); from the cache where the same was learned and asked.

        Every hallucinator is compared with the same classifiers of true and of bicubic faces: they are trained once.

        Args:
            shown: RGB uint8 (N, S, S, 3), N >= 1.
            store: keeps answers, or None.
        """
        from bench.expressions.training import predict, train

        threads = self.run.config.threads
        learned = self._key() if store else ""
        keys = [digest_of([learned, _digest(image)]) for image in shown]
        known = store.embeddings(sorted(set(keys))) if store else {}
        if all(key in known for key in keys):
            return np.stack([known[key].vector for key in keys])
        device = self.run.config.device
        network = train(
            self.images, self.targets, self.classes, self.plan, fold=self.fold, device=device, threads=threads
        )
        found = predict(network, shown, self.plan, threads=threads)
        if store:
            store.put_embeddings({key: CachedEmbedding(row) for key, row in zip(keys, found, strict=True)})
        return found

    def _key(self) -> str:
        """Identifies the trained network."""
        import bench.expressions.training  # noqa: F401  # its package's sources count

        plan = [self.plan.classifier, self.plan.epochs, self.plan.seed]
        weights = [file.sha256 for file in self.run.protocol.component.weights]
        where = [self.run.config.device, self.run.config.threads, code_digest("bench.expressions.training")]
        return digest_of([_digest(self.images), _digest(self.targets), self.classes, self.fold, plan, weights, where])


def answered(
    run: Prepared,
    data: ExpressionSet,
    plan: ClassifierPlan,
    sources: Mapping[str, Faces],
    folds: NDArray[np.int64],
    tested: Sequence[int],
) -> tuple[dict[str, list[str | None]], list[float | None], list[str]]:
    """Predictions by test, in the order of faces; how sure that of the made faces is; and what to warn of.

    Raises:
        BenchError: a fold has nothing to learn from.
    """
    tests = _tests(plan, sources)
    place = {label: index for index, label in enumerate(data.labels)}
    targets = np.array([place[str(media.attributes["expression"])] for media in data.faces], np.int64)
    answers: dict[str, list[str | None]] = {test.name: [None] * len(folds) for test in tests}
    confidence: list[float | None] = [None] * len(folds)
    first_of = _first_of(data)
    warnings: list[str] = []
    by_lesson = {name: [test for test in tests if test.trained_on == name] for name in {t.trained_on: 0 for t in tests}}
    cache = Cache(run.cache) if run.cache else nullcontext()
    stage = progress.stage(f"train classifiers ({plan.classifier})", len(by_lesson) * len(tested))
    with cache as store, stage as advance:
        for fold in tested:
            others = np.isin(folds, [other for other in (plan.trained or set(folds.tolist())) if other != fold])
            for name, own in by_lesson.items():
                learned = others & sources[name].usable & (first_of | (name != FRONTAL_HR))
                _check(targets[learned], fold, data.labels, warnings)
                images = sources[name].images[learned]
                lesson = _Lesson(run, plan, images, targets[learned], len(data.labels), fold)
                asked = [np.flatnonzero((folds == fold) & sources[test.tested_on].usable) for test in own]
                shown = [sources[test.tested_on].images[at] for test, at in zip(own, asked, strict=True)]
                if sum(map(len, shown)):
                    chances = lesson.chances(np.concatenate(shown), store)
                    parts = np.split(chances, np.cumsum([len(part) for part in shown])[:-1])
                    for test, at, part in zip(own, asked, parts, strict=True):
                        _put(test, at, part, data.labels, answers, confidence)
                advance(1)
    failed = int((~sources[tests[0].trained_on].usable).sum())
    if failed:
        warnings.append(f"{failed} faces failed and no classifier could learn from them.")
    return answers, confidence, list(dict.fromkeys(warnings))


def _put(
    test: _Test,
    asked: NDArray[np.int64],
    chances: FloatImages,
    labels: Sequence[str],
    answers: dict[str, list[str | None]],
    confidence: list[float | None],
) -> None:
    for at, row in zip(asked, chances, strict=True):
        answers[test.name][at] = labels[int(row.argmax())]
        if test.name == MADE:
            confidence[at] = float(row.max())


def _tests(plan: ClassifierPlan, sources: Mapping[str, Faces]) -> list[_Test]:
    """What is trained on what and asked about what; equal faces are not trained on twice."""
    learned = FRONTAL_HR if plan.train_on == "hr" else None
    tests = [_Test(name, learned or name, name) for name in (MADE, FRONTAL_HR, BICUBIC)]
    if not plan.references:
        tests = tests[:1]
    equal = sources[BICUBIC].same_as(sources[MADE])
    return [replace(test, trained_on=MADE) if equal and test.trained_on == BICUBIC else test for test in tests]


def _check(targets: NDArray[np.int64], fold: int, labels: Sequence[str], warnings: list[str]) -> None:
    """Whether there is enough to learn from; adds a warning where a class is never seen."""
    unseen = [label for place, label in enumerate(labels) if not (targets == place).any()]
    if len(labels) - len(unseen) < 2:
        raise BenchError(
            f"Fold {fold} has {len(targets)} faces of other folds to learn from, of {len(labels) - len(unseen)} "
            "expressions; a classifier needs two or more. Ask for fewer folds, or a larger --limit."
        )
    if unseen:
        warnings.append(f"Fold {fold} is tested by a classifier that has seen no {', '.join(unseen)}.")


def _first_of(data: ExpressionSet) -> NDArray[np.bool_]:
    """Which faces are the first of their true face: turned views share one, which is learned once."""
    known: set[object] = set()
    first = np.zeros(len(data.truths), bool)
    for place, media in enumerate(data.truths):
        first[place] = (media.path, media.cut) not in known
        known.add((media.path, media.cut))
    return first


def _digest(array: NDArray[np.uint8] | NDArray[np.int64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
