"""Expressions told from hallucinated faces by a classifier that has seen other people."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.errors import BenchError, DataError, UsageError
from bench.expressions.networks import settings_of
from bench.expressions.plan import ClassifierPlan, classification_of
from bench.kinds.expression_faces import Faces, made_faces, true_faces
from bench.kinds.expression_figures import BICUBIC, FRONTAL_HR, confusion_of, figures_of, predicted_name
from bench.prepared import Measured, Prepared
from bench.results import Figure, ItemRow, RunResult
from bench.studies import ExpressionSet
from bench.types import Outcome

if TYPE_CHECKING:
    from torch import nn

KIND = "expression"
_MADE = ""
_MOST_LISTED = 2000  # people whose folds the record lists


@dataclass(frozen=True)
class _Test:
    """Which faces a classifier learns from, and which it is asked about."""

    name: str
    trained_on: str
    tested_on: str


def measure(run: Prepared) -> Measured:
    """Make the faces; for each fold train a classifier on the others and ask it.

    Raises:
        UsageError: the gallery, here the true faces, is to be hallucinated.
        BenchError: no tested face could be classified, or a fold has nothing to learn from.
    """
    data = run.data
    if not isinstance(data, ExpressionSet):
        raise DataError(f"An expression run was given a {type(data).__name__}")
    if run.config.hallucinate != "probe":
        raise UsageError(
            f"hallucinate={run.config.hallucinate}: the gallery of an expression run holds the true faces. Use "
            "--hallucinate probe; train_on=hallucinated has the classifier learn from hallucinated ones."
        )
    plan = classification_of(run.protocol.component)
    side = settings_of(plan.classifier).side
    with progress.stage("hallucinate faces", len(data.faces)) as advance:
        plain, made, probes = made_faces(run.probe_plan, data.faces, side, run.cache, advance)
    with progress.stage("open true faces", len(data.truths)) as advance:
        true, gallery = true_faces(data.truths, side, advance)
    folds = np.array([data.folds[str(media.identity)] for media in data.faces], np.int64)
    tested = [fold for fold in sorted(set(folds.tolist())) if fold in (plan.tested or (fold,))]
    if not any(made.usable[folds == fold].any() for fold in tested):
        causes = sorted({f"{o.stage}: {o.reason}" for o in probes.outcomes if o.status == "failed"})
        raise BenchError(f"No tested face could be made ({'; '.join(causes[:5])}), so there is no result.")
    started = time.perf_counter()
    sources = {_MADE: made, FRONTAL_HR: true, BICUBIC: plain}
    answers, confidence, warnings = _answered(run, data, plan, sources, folds, tested)
    probes = replace(
        probes,
        seconds={**probes.seconds, "train and classify": time.perf_counter() - started},
        counts={**probes.counts, "train and classify": int(np.isin(folds, tested).sum())},
    )
    items = _items(data, folds, tested, probes.outcomes, answers, confidence)
    labels = data.labels
    names = [name for name in (_MADE, FRONTAL_HR, BICUBIC) if name in answers]
    arrays: dict[str, Any] = {}
    for name in names:
        table = confusion_of(items, labels, name)
        suffix = f" ({name})" if name else ""
        arrays |= {f"confusion{suffix}": table.counts, f"unpredicted{suffix}": table.unpredicted}
    shown = Counter(str(item.values["expression"]) for item in items)
    warnings += [f"No tested face shows {label}: it has no recall." for label in labels if not shown[label]]
    return Measured(
        figures_of(items, labels, seed=run.config.seed),
        {"probe": (data.faces, probes), "gallery": (data.truths, gallery)},
        items=tuple(items),
        arrays=arrays,
        warnings=tuple(warnings),
        rules=_rules(data, plan, tested),
    )


def figures(result: RunResult) -> dict[str, Figure]:
    """Figures from the items of a finished run."""
    return figures_of(result.items, result.record.protocol["labels"], seed=result.record.seed)


def _answered(
    run: Prepared,
    data: ExpressionSet,
    plan: ClassifierPlan,
    sources: Mapping[str, Faces],
    folds: NDArray[np.int64],
    tested: Sequence[int],
) -> tuple[dict[str, list[str | None]], list[float | None], list[str]]:
    """Predictions by test, in the order of faces; how sure the first is; and what to warn of."""
    from bench.expressions.training import predict

    tests = _tests(plan, sources)
    place = {label: index for index, label in enumerate(data.labels)}
    targets = np.array([place[str(media.attributes["expression"])] for media in data.faces], np.int64)
    answers: dict[str, list[str | None]] = {test.name: [None] * len(folds) for test in tests}
    confidence: list[float | None] = [None] * len(folds)
    first_of = _first_of(data)
    warnings: list[str] = []
    trainings = len({test.trained_on for test in tests}) * len(tested)
    with progress.stage(f"train classifiers ({plan.classifier})", trainings) as advance:
        for fold in tested:
            others = np.isin(folds, [other for other in (plan.trained or set(folds.tolist())) if other != fold])
            networks: dict[str, nn.Module] = {}
            for test in tests:
                if test.trained_on not in networks:
                    learned = others & sources[test.trained_on].usable & (first_of | (test.trained_on != FRONTAL_HR))
                    networks[test.trained_on] = _trained(
                        run, plan, sources[test.trained_on], targets, learned, fold, data.labels, warnings
                    )
                    advance(1)
                asked = np.flatnonzero((folds == fold) & sources[test.tested_on].usable)
                if len(asked):
                    shown = sources[test.tested_on].images[asked]
                    chances = predict(networks[test.trained_on], shown, plan, threads=run.config.threads)
                    for at, row in zip(asked, chances, strict=True):
                        answers[test.name][at] = data.labels[int(row.argmax())]
                        if test.name == _MADE:
                            confidence[at] = float(row.max())
    failed = int((~sources[tests[0].trained_on].usable).sum())
    if failed:
        warnings.append(f"{failed} faces failed and no classifier could learn from them.")
    return answers, confidence, list(dict.fromkeys(warnings))


def _tests(plan: ClassifierPlan, sources: Mapping[str, Faces]) -> list[_Test]:
    """What is trained on what and asked about what; equal faces are not trained on twice."""
    learned = FRONTAL_HR if plan.train_on == "hr" else None
    tests = [_Test(name, learned or name, name) for name in (_MADE, FRONTAL_HR, BICUBIC)]
    if not plan.references:
        tests = tests[:1]
    equal = sources[BICUBIC].same_as(sources[_MADE])
    return [replace(test, trained_on=_MADE) if equal and test.trained_on == BICUBIC else test for test in tests]


def _trained(
    run: Prepared,
    plan: ClassifierPlan,
    faces: Faces,
    targets: NDArray[np.int64],
    learned: NDArray[np.bool_],
    fold: int,
    labels: Sequence[str],
    warnings: list[str],
) -> nn.Module:
    from bench.expressions.training import train

    unseen = [label for place, label in enumerate(labels) if not (targets[learned] == place).any()]
    if len(labels) - len(unseen) < 2:
        raise BenchError(
            f"Fold {fold} has {int(learned.sum())} faces of other folds to learn from, of {len(labels) - len(unseen)} "
            "expressions; a classifier needs two or more. Ask for fewer folds, or a larger --limit."
        )
    if unseen:
        warnings.append(f"Fold {fold} is tested by a classifier that has seen no {', '.join(unseen)}.")
    return train(
        faces.images[learned],
        targets[learned],
        len(labels),
        plan,
        fold=fold,
        device=run.config.device,
        threads=run.config.threads,
    )


def _first_of(data: ExpressionSet) -> NDArray[np.bool_]:
    """Which faces are the first of their true face: turned views share one, which is learned once."""
    known: set[object] = set()
    first = np.zeros(len(data.truths), bool)
    for place, media in enumerate(data.truths):
        first[place] = (media.path, media.cut) not in known
        known.add((media.path, media.cut))
    return first


def _items(
    data: ExpressionSet,
    folds: NDArray[np.int64],
    tested: Sequence[int],
    outcomes: Sequence[Outcome],
    answers: Mapping[str, Sequence[str | None]],
    confidence: Sequence[float | None],
) -> list[ItemRow]:
    items = []
    for place, media in enumerate(data.faces):
        if folds[place] not in tested:
            continue
        truth, outcome = str(media.attributes["expression"]), outcomes[place]
        values: dict[str, str | float] = {"expression": truth, "fold": int(folds[place])}
        for name, given in answers.items():
            answer = given[place]
            if answer is not None:
                values[predicted_name(name)] = answer
        values["correct"] = int(values.get("predicted") == truth)
        sure = confidence[place]
        if sure is not None:
            values["confidence"] = round(sure, 4)
        items.append(
            ItemRow(
                key=media.template,
                identity=str(media.identity),
                status=outcome.status,
                stage=outcome.stage,
                reason=outcome.reason,
                values=values,
                attributes=media.attributes,
            )
        )
    return items


def _rules(data: ExpressionSet, plan: ClassifierPlan, tested: Sequence[int]) -> dict[str, object]:
    """What the record says: the classes, the classifier, who was in which fold."""
    settings = settings_of(plan.classifier)
    people: dict[str, list[str]] = {}
    for person, fold in data.folds.items():
        people.setdefault(str(fold), []).append(person)
    return {
        "kind": KIND,
        "items": "faces",
        "labels": list(data.labels),
        "classifier": {
            **asdict(settings),
            "name": plan.classifier,
            "epochs": plan.epochs or settings.epochs,
            "weights": plan.weights.name if plan.weights else "",
            "train_on": plan.train_on,
            "seed": plan.seed,
        },
        "folds tested": list(tested),
        "folds": people if len(data.folds) <= _MOST_LISTED else {fold: len(own) for fold, own in people.items()},
    }
