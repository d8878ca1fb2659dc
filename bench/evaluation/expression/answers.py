"""What classifiers answer: one trained for each fold on the faces of the others, and never twice on the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.digests.closure import closure_digest
from bench.errors import BenchError
from bench.evaluation.contract import Prepared
from bench.evaluation.expression.classifier.parallel import Lesson, Share, all_taught
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.evaluation.expression.faces import Faces
from bench.evaluation.expression.figures import BICUBIC, FRONTAL_HR
from bench.images import FloatImages
from bench.io.file_digests import digest_of, refuse_changed
from bench.pipeline.cache import Cache, CachedEmbedding
from bench.studies import ExpressionSet
from bench.types import WeightsFile

MADE = ""
"""Name of the test on the faces that the chain made; the references have names."""


@dataclass(frozen=True)
class _Test:
    """Which faces a classifier learns from, and which it is asked about."""

    name: str
    trained_on: str
    tested_on: str


@dataclass(frozen=True)
class _Question:
    """One classifier of a fold: what it learns, and what it is asked for which tests.

    Attributes:
        fold: the one it is tested on.
        trained_on: name of the source that it learns from.
        learned: bool (faces,), those it learns.
        asked: of each test, the places of the faces asked about.
    """

    fold: int
    trained_on: str
    learned: NDArray[np.bool_]
    asked: tuple[tuple[_Test, NDArray[np.int64]], ...]

    def lesson(
        self, sources: Mapping[str, Faces], targets: NDArray[np.int64], classes: int, plan: ClassifierPlan
    ) -> Lesson:
        """Faces and classes themselves."""
        shown = np.concatenate([sources[test.tested_on].images[at] for test, at in self.asked])
        images = sources[self.trained_on].images[self.learned]
        return Lesson(images, targets[self.learned], classes, plan, self.fold, shown)


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
    warnings: list[str] = []
    questions = _questions(data, plan, tests, sources, targets, folds, tested, warnings)
    share = Share.of(len(tested), threads=run.config.threads, device=run.config.device)

    def lesson(question: _Question) -> Lesson:
        return question.lesson(sources, targets, len(data.labels), plan)

    def put(question: _Question, chances: FloatImages) -> None:
        parts = np.split(chances, np.cumsum([len(at) for _, at in question.asked])[:-1])
        for (test, at), part in zip(question.asked, parts, strict=True):
            _put(test, at, part, data.labels, answers, confidence)
        advance(1)

    cache = Cache(run.cache) if run.cache else nullcontext()
    with cache as store, progress.stage(f"train classifiers ({plan.classifier})", len(questions)) as advance:
        open_questions: list[tuple[_Question, list[str]]] = []
        for question in questions:
            keys = _keys(lesson(question), share, run.protocol.component.weights) if store else []
            known = store.embeddings(sorted(set(keys))) if store else {}
            if store and all(key in known for key in keys):
                put(question, np.stack([known[key].vector for key in keys]))
            else:
                open_questions.append((question, keys))
        lessons = (lesson(question) for question, _ in open_questions)
        found = all_taught(lessons, len(open_questions), share)
        for (question, keys), chances in zip(open_questions, found, strict=True):
            refuse_changed(run.protocol.files)
            if store:
                store.put_embeddings({key: CachedEmbedding(row) for key, row in zip(keys, chances, strict=True)})
            put(question, chances)
    failed = int((~sources[tests[0].trained_on].usable).sum())
    if failed:
        warnings.append(f"{failed} faces failed and no classifier could learn from them.")
    return answers, confidence, list(dict.fromkeys(warnings))


def _questions(
    data: ExpressionSet,
    plan: ClassifierPlan,
    tests: Sequence[_Test],
    sources: Mapping[str, Faces],
    targets: NDArray[np.int64],
    folds: NDArray[np.int64],
    tested: Sequence[int],
    warnings: list[str],
) -> list[_Question]:
    """One for each fold and source; those with nothing to be asked are left out."""
    first_of = _first_of(data)
    by_source = {name: [test for test in tests if test.trained_on == name] for name in {t.trained_on: 0 for t in tests}}
    questions = []
    for fold in tested:
        others = np.isin(folds, [other for other in (plan.trained or set(folds.tolist())) if other != fold])
        for name, own in by_source.items():
            learned = others & sources[name].usable & (first_of | (name != FRONTAL_HR))
            _check(targets[learned], fold, data.labels, warnings)
            asked = tuple((test, np.flatnonzero((folds == fold) & sources[test.tested_on].usable)) for test in own)
            if any(len(at) for _, at in asked):
                questions.append(_Question(fold, name, learned, asked))
    return questions


def _keys(lesson: Lesson, share: Share, files: Sequence[WeightsFile]) -> list[str]:
    """What the cache calls the answer about each face that is shown.

    Every hallucinator is compared with the same classifiers of true and of bicubic faces: they are trained once.
    """
    plan = [lesson.plan.classifier, lesson.plan.epochs, lesson.plan.seed]
    where = [share.device, share.threads, closure_digest("bench.evaluation.expression.classifier.training")]
    learned = [_digest(lesson.images), _digest(lesson.targets), lesson.classes, lesson.fold, plan]
    learner = digest_of([*learned, [file.sha256 for file in files], where])
    return [digest_of([learner, _digest(image)]) for image in lesson.shown]


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
