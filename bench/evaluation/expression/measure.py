"""Expressions of hallucinated faces, classified by networks that were trained on other people."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import progress
from bench.errors import BenchError, DataError, UsageError
from bench.evaluation.contract import Measured, Prepared, RunImages
from bench.evaluation.expression.answers import HALLUCINATED, predict_folds
from bench.evaluation.expression.classifier.networks import settings_of
from bench.evaluation.expression.classifier.plan import ClassifierPlan, classification_of
from bench.evaluation.expression.faces import hallucinate_faces, open_faces
from bench.evaluation.expression.figures import BICUBIC, FRONTAL_HR, confusion_of, figures_of, predicted_name
from bench.results import ItemRow
from bench.results.kinds import EXPRESSION
from bench.studies import ExpressionSet
from bench.types import Outcome, WeightsFile

_MAX_LISTED = 2000  # people whose folds the record lists


def measure(run: Prepared) -> Measured:
    """Hallucinate the faces; for each fold train a classifier on the other folds and classify.

    Raises:
        UsageError: the gallery, here the true faces, is to be hallucinated.
        BenchError: no tested face could be classified, or a fold has too few training faces.
    """
    data = run.data
    if not isinstance(data, ExpressionSet):
        raise DataError(f"An expression run was given a {type(data).__name__}")
    if run.side != "probe":
        raise UsageError(
            f"hallucinate={run.side}: the gallery of an expression run holds the true faces. Use "
            "--hallucinate probe; train_on=hallucinated trains the classifier on hallucinated faces."
        )
    plan = classification_of(run.protocol.component)
    side = settings_of(plan.classifier).side
    images = RunImages()
    with progress.stage("hallucinate faces", len(data.faces)) as advance:
        lr, hallucinated, probes = hallucinate_faces(run, data.faces, side, images, advance)
    with progress.stage("open true faces", len(data.truths)) as advance:
        true, gallery = open_faces(run, data.truths, side, advance)
    folds = np.array([data.folds[str(media.identity)] for media in data.faces], np.int64)
    tested = [fold for fold in sorted(set(folds.tolist())) if fold in (plan.tested or (fold,))]
    if not any(hallucinated.usable[folds == fold].any() for fold in tested):
        causes = sorted({f"{o.stage}: {o.reason}" for o in probes.outcomes if o.status == "failed"})
        raise BenchError(f"No tested face could be hallucinated ({'; '.join(causes[:5])}), so there is no result.")
    started = time.perf_counter()
    sources = {HALLUCINATED: hallucinated, FRONTAL_HR: true, BICUBIC: lr}
    predictions, confidence, warnings = predict_folds(run, data, plan, sources, folds, tested)
    probes = replace(
        probes,
        seconds={**probes.seconds, "train and classify": time.perf_counter() - started},
        counts={**probes.counts, "train and classify": int(np.isin(folds, tested).sum())},
    )
    items = _items(data, folds, tested, probes.outcomes, predictions, confidence)
    labels = data.labels
    names = [name for name in (HALLUCINATED, FRONTAL_HR, BICUBIC) if name in predictions]
    arrays: dict[str, Any] = {}
    for name in names:
        table = confusion_of(items, labels, name)
        suffix = f" ({name})" if name else ""
        arrays |= {f"confusion{suffix}": table.counts, f"unpredicted{suffix}": table.unpredicted}
    face_counts = Counter(str(item.values["expression"]) for item in items)
    warnings += [f"No tested face shows {label}: it has no recall." for label in labels if not face_counts[label]]
    return Measured(
        figures_of(items, labels, seed=run.config.seed),
        {"probe": (data.faces, probes), "gallery": (data.truths, gallery)},
        items=tuple(items),
        arrays=arrays,
        warnings=tuple(warnings),
        rules=_rules(data, plan, tested, run.protocol.component.weights),
        images=images,
    )


def _items(
    data: ExpressionSet,
    folds: NDArray[np.int64],
    tested: Sequence[int],
    outcomes: Sequence[Outcome],
    predictions: Mapping[str, Sequence[str | None]],
    confidence: Sequence[float | None],
) -> list[ItemRow]:
    items = []
    for index, media in enumerate(data.faces):
        if folds[index] not in tested:
            continue
        truth, outcome = str(media.attributes["expression"]), outcomes[index]
        values: dict[str, str | float] = {"expression": truth, "fold": int(folds[index])}
        for name, test_predictions in predictions.items():
            prediction = test_predictions[index]
            if prediction is not None:
                values[predicted_name(name)] = prediction
        values["correct"] = int(values.get("predicted") == truth)
        probability = confidence[index]
        if probability is not None:
            values["confidence"] = round(probability, 4)
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


def _rules(
    data: ExpressionSet, plan: ClassifierPlan, tested: Sequence[int], files: Sequence[WeightsFile]
) -> dict[str, object]:
    """Facts for the record: the classes, the classifier, the people of each fold."""
    settings = settings_of(plan.classifier)
    people: dict[str, list[str]] = {}
    for person, fold in data.folds.items():
        people.setdefault(str(fold), []).append(person)
    return {
        "kind": EXPRESSION,
        "items": "faces",
        "labels": list(data.labels),
        "classifier": {
            **asdict(settings),
            "name": plan.classifier,
            "epochs": plan.epochs or settings.epochs,
            "weights": plan.weights.name if plan.weights else "",
            "weights_sha256": "".join(file.sha256 for file in files),
            "train_on": plan.train_on,
            "seed": plan.seed,
        },
        "folds tested": list(tested),
        "folds": people if len(data.folds) <= _MAX_LISTED else {fold: len(names) for fold, names in people.items()},
    }
