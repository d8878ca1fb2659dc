"""Cross-validated predictions: a classifier for each fold is trained on the others. Predictions are cached."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.digests.closure import closure_digest
from bench.errors import BenchError
from bench.evaluation.contract import Prepared
from bench.evaluation.expression.classifier.parallel import Division, Training, TrainStage
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.evaluation.expression.faces import Faces
from bench.evaluation.expression.figures import BICUBIC, FRONTAL_HR
from bench.images import FloatImages
from bench.io.file_digests import digest_of, refuse_changed
from bench.pipeline.cache import CachedEmbedding, open_cache
from bench.studies import ExpressionSet
from bench.types import WeightsFile

HALLUCINATED = ""
"""Name of the test on hallucinated faces; the references have names."""


@dataclass(frozen=True)
class _Test:
    """The training faces and test faces of a classifier."""

    name: str
    trained_on: str
    tested_on: str


@dataclass(frozen=True)
class _Fit:
    """One classifier of a fold.

    Attributes:
        fold: the test fold.
        trained_on: name of the source of its training faces.
        training: bool (faces,), the training faces.
        tested: of each test, the indices of the faces that it classifies.
    """

    fold: int
    trained_on: str
    training: NDArray[np.bool_]
    tested: tuple[tuple[_Test, NDArray[np.int64]], ...]

    def data(
        self, sources: Mapping[str, Faces], targets: NDArray[np.int64], classes: int, plan: ClassifierPlan
    ) -> Training:
        """Training and test faces, and classes."""
        tested = np.concatenate([sources[test.tested_on].images[indices] for test, indices in self.tested])
        images = sources[self.trained_on].images[self.training]
        return Training(images, targets[self.training], classes, plan, self.fold, tested)


def predict_folds(
    run: Prepared,
    data: ExpressionSet,
    plan: ClassifierPlan,
    sources: Mapping[str, Faces],
    folds: NDArray[np.int64],
    tested: Sequence[int],
) -> tuple[dict[str, list[str | None]], list[float | None], list[str]]:
    """Predictions by test in the order of faces, probabilities of the predictions for hallucinated faces, and warnings.

    Raises:
        BenchError: a fold has too few training faces.
    """
    tests = _tests(plan, sources)
    class_of = {label: index for index, label in enumerate(data.labels)}
    targets = np.array([class_of[str(media.attributes["expression"])] for media in data.faces], np.int64)
    predictions: dict[str, list[str | None]] = {test.name: [None] * len(folds) for test in tests}
    confidence: list[float | None] = [None] * len(folds)
    warnings: list[str] = []
    fits = _fits(data, plan, tests, sources, targets, folds, tested, warnings)
    division = Division.among(len(tested), threads=run.config.threads, device=run.config.device)

    def training(fit: _Fit) -> Training:
        return fit.data(sources, targets, len(data.labels), plan)

    def store(fit: _Fit, probabilities: FloatImages) -> None:
        parts = np.split(probabilities, np.cumsum([len(indices) for _, indices in fit.tested])[:-1])
        for (test, indices), part in zip(fit.tested, parts, strict=True):
            _store(test, indices, part, data.labels, predictions, confidence)

    with open_cache(run.cache) as cache, progress.stage(f"train classifiers ({plan.classifier})", len(fits)) as advance:
        untrained: list[tuple[_Fit, list[str]]] = []
        for fit in fits:
            keys = _keys(training(fit), division, run.protocol.component.weights) if cache else []
            cached = cache.embeddings(sorted(set(keys))) if cache else {}
            if cache and all(key in cached for key in keys):
                store(fit, np.stack([cached[key].vector for key in keys]))
                advance.reuse(1)
            else:
                untrained.append((fit, keys))
        results = run.engine.map(
            TrainStage(division),
            (training(fit) for fit, _ in untrained),
            shard_size=1,
            processes=division.processes,
            threads=division.threads,
            progress=advance,
        )
        for (fit, keys), [probabilities] in zip(untrained, results, strict=True):
            refuse_changed(run.protocol.files)
            if cache:
                cache.put_embeddings({key: CachedEmbedding(row) for key, row in zip(keys, probabilities, strict=True)})
            store(fit, probabilities)
    failed = int((~sources[tests[0].trained_on].usable).sum())
    if failed:
        warnings.append(f"{failed} faces failed and were not used for training.")
    return predictions, confidence, list(dict.fromkeys(warnings))


def _fits(
    data: ExpressionSet,
    plan: ClassifierPlan,
    tests: Sequence[_Test],
    sources: Mapping[str, Faces],
    targets: NDArray[np.int64],
    folds: NDArray[np.int64],
    tested: Sequence[int],
    warnings: list[str],
) -> list[_Fit]:
    """One fit per fold and source; a fit without a face to classify is omitted."""
    first_of = _first_of(data)
    by_source = {name: [test for test in tests if test.trained_on == name] for name in {t.trained_on: 0 for t in tests}}
    fits = []
    for fold in tested:
        others = np.isin(folds, [other for other in (plan.trained or set(folds.tolist())) if other != fold])
        for name, tests_of_source in by_source.items():
            training = others & sources[name].usable & (first_of | (name != FRONTAL_HR))
            _check(targets[training], fold, data.labels, warnings)
            indices = tuple(
                (test, np.flatnonzero((folds == fold) & sources[test.tested_on].usable)) for test in tests_of_source
            )
            if any(len(of_test) for _, of_test in indices):
                fits.append(_Fit(fold, name, training, indices))
    return fits


def _keys(training: Training, division: Division, files: Sequence[WeightsFile]) -> list[str]:
    """The cache key of the prediction for each tested face.

    All hallucinators share the same classifiers of true and of bicubic faces, which are trained once.
    """
    plan = [training.plan.classifier, training.plan.epochs, training.plan.seed]
    where = [division.device, division.threads, closure_digest("bench.evaluation.expression.classifier.training")]
    data = [_digest(training.images), _digest(training.targets), training.classes, training.fold, plan]
    classifier = digest_of([*data, [file.sha256 for file in files], where])
    return [digest_of([classifier, _digest(image)]) for image in training.tested]


def _store(
    test: _Test,
    indices: NDArray[np.int64],
    probabilities: FloatImages,
    labels: Sequence[str],
    predictions: dict[str, list[str | None]],
    confidence: list[float | None],
) -> None:
    for index, row in zip(indices, probabilities, strict=True):
        predictions[test.name][index] = labels[int(row.argmax())]
        if test.name == HALLUCINATED:
            confidence[index] = float(row.max())


def _tests(plan: ClassifierPlan, sources: Mapping[str, Faces]) -> list[_Test]:
    """Training and test faces of each test; equal training faces are used only once."""
    trained_on = FRONTAL_HR if plan.train_on == "hr" else None
    tests = [_Test(name, trained_on or name, name) for name in (HALLUCINATED, FRONTAL_HR, BICUBIC)]
    if not plan.references:
        tests = tests[:1]
    equal = sources[BICUBIC].same_as(sources[HALLUCINATED])
    return [replace(test, trained_on=HALLUCINATED) if equal and test.trained_on == BICUBIC else test for test in tests]


def _check(targets: NDArray[np.int64], fold: int, labels: Sequence[str], warnings: list[str]) -> None:
    """Check the training faces of a fold; adds a warning where a class has none."""
    unseen = [label for index, label in enumerate(labels) if not (targets == index).any()]
    if len(labels) - len(unseen) < 2:
        raise BenchError(
            f"Fold {fold} has {len(targets)} training faces, of {len(labels) - len(unseen)} expressions; "
            "a classifier needs two or more. Use fewer folds, or a larger --limit."
        )
    if unseen:
        warnings.append(f"The classifier of fold {fold} has no training face of {', '.join(unseen)}.")


def _first_of(data: ExpressionSet) -> NDArray[np.bool_]:
    """Which faces are the first of their true face: turned views share one, used once for training."""
    seen: set[object] = set()
    first = np.zeros(len(data.truths), bool)
    for index, media in enumerate(data.truths):
        first[index] = (media.path, media.cut) not in seen
        seen.add((media.path, media.cut))
    return first


def _digest(array: NDArray[np.uint8] | NDArray[np.int64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
