"""A run that classifies expressions, on patches that a classifier learns at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, confusion_matrix

from bench.errors import DataError, UsageError
from bench.evaluation.expression.classifier.plan import ClassifierPlan
from bench.evaluation.expression.figures import figures_of
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.results import ItemRow
from bench.results.folder import read_run
from bench.studies import ExpressionSet
from bench.types import CheckLine, Cut, Media

Bench = Callable[..., tuple[int, str, str]]
LABELS = ("anger", "fear", "neutral")
COLOURS = {"anger": (220, 40, 40), "fear": (40, 220, 40), "neutral": (40, 40, 220)}
PEOPLE, FOLDS = 6, 3


class Patches(EvalProtocol):
    """Six people, each with one patch of noise an expression, in its colour."""

    dataset = "patches"
    how_to_get = "it is drawn"
    classification = ClassifierPlan(epochs=6, references=True)
    changed: Callable[[ExpressionSet], ExpressionSet] = staticmethod(lambda study: study)

    def locate(self, root: Path) -> Path:
        return root

    def check(self, root: Path, progress: object = None) -> list[CheckLine]:
        return []

    def read(self, root: Path) -> ExpressionSet:
        faces, truths = [], []
        for person in range(PEOPLE):
            for label in LABELS:
                key = f"{person}-{label}.png"
                known = {"expression": label}
                faces.append(Media(key, root / key, "probe", f"p{person}", key, attributes=known, cut=Cut(side=16)))
                truths.append(Media(f"{key} true", root / key, "gallery", f"p{person}", key, attributes=known))
        folds = {f"p{person}": person % FOLDS for person in range(PEOPLE)}
        return type(self).changed(ExpressionSet(tuple(faces), tuple(truths), LABELS, folds))


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("patches")
    rng = np.random.default_rng(0)
    for person in range(PEOPLE):
        for label in LABELS:
            noisy = rng.normal(COLOURS[label], 30, (48, 48, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(root / f"{person}-{label}.png")
    return root


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Patches]]:
    """The protocol under its name, for one test."""

    class Fresh(Patches):
        pass

    monkeypatch.setattr(PROTOCOLS, "_entries", dict(PROTOCOLS._entries))
    PROTOCOLS.register("patches", summary="", source="")(Fresh)
    yield Fresh


def run(
    bench: Bench, root: Path, out: Path, hallucinator: str = "bicubic:size=32", *more: object, threads: int = 1
) -> dict[str, Any]:
    code, _, err = bench(
        "run", "--protocol", "patches", "--data-root", root, "--out", out, "--hallucinator", hallucinator,
        "--threads", threads, *more,
    )  # fmt: skip
    assert code == 0, err
    record: dict[str, Any] = json.loads((out / "run.json").read_text())
    return record


def test_every_face_is_classified_by_a_network_trained_on_other_people(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.evaluation.expression.classifier.training as training

    seen: list[int] = []
    real = training.train
    monkeypatch.setattr(training, "train", lambda images, *a, **k: seen.append(len(images)) or real(images, *a, **k))
    record = run(bench, patches, tmp_path / "run")
    items = read_run(tmp_path / "run").items
    assert seen == [12] * 9  # three folds; bicubic:size=32 is not the plain enlargement
    assert len(items) == 18 and {item.values["fold"] for item in items} == {0, 1, 2}
    assert all(item.values["fold"] == int(item.identity[1:]) % FOLDS for item in items)
    truth = [item.values["expression"] for item in items]
    predicted = [item.values["predicted"] for item in items]
    metrics = record["metrics"]
    hits = [t == p for t, p in zip(truth, predicted, strict=True)]
    assert metrics["accuracy"]["value"] == pytest.approx(np.mean(hits))
    assert metrics["accuracy"]["value"] > 0.8
    assert metrics["uar"]["value"] == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert {"accuracy (frontal HR)", "accuracy (bicubic)", "recall (fear)", "accuracy (mean of folds)"} <= set(metrics)
    arrays = read_run(tmp_path / "run").arrays
    assert np.array_equal(arrays["confusion"], confusion_matrix(truth, predicted, labels=LABELS))
    assert record["protocol"]["labels"] == list(LABELS) and record["protocol"]["folds"]["1"] == ["p1", "p4"]
    assert record["ledger"]["probe"]["ok"] == 18 and record["ledger"]["gallery"]["ok"] == 18
    assert [(stage["stage"], stage["side"]) for stage in record["stages"]] == [("hallucinate", "probe")]


def test_score_computes_the_same_figures_from_the_items(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches]
) -> None:
    record = run(bench, patches, tmp_path / "run")
    (tmp_path / "run" / "arrays.npz").unlink()
    code, out, _ = bench("score", tmp_path / "run", "--json")
    again = json.loads(out)
    assert code == 0
    assert all(again[name] == figure["value"] for name, figure in record["metrics"].items())


def test_bicubic_faces_are_not_trained_on_twice_and_equal_their_reference(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.evaluation.expression.classifier.training as training

    seen: list[int] = []
    real = training.train
    monkeypatch.setattr(training, "train", lambda images, *a, **k: seen.append(len(images)) or real(images, *a, **k))
    metrics = run(bench, patches, tmp_path / "run", "none")["metrics"]
    assert len(seen) == 6
    assert metrics["accuracy"]["value"] == metrics["accuracy (bicubic)"]["value"]


def test_the_classifiers_of_references_are_trained_once_for_all_hallucinators(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.evaluation.expression.classifier.training as training

    seen: list[int] = []
    real = training.train
    monkeypatch.setattr(training, "train", lambda images, *a, **k: seen.append(len(images)) or real(images, *a, **k))
    first = run(bench, patches, tmp_path / "one")["metrics"]
    assert len(seen) == 9
    second = run(bench, patches, tmp_path / "two", "bicubic:size=64")["metrics"]
    assert len(seen) == 12  # the made faces of three folds
    same = [name for name in first if "(frontal HR)" in name or "(bicubic)" in name]
    assert same and all(first[name] == second[name] for name in same)
    registered.classification = ClassifierPlan(epochs=3, seed=5)
    run(bench, patches, tmp_path / "three")
    assert len(seen) == 21


def test_processes_change_nothing_and_share_the_cache(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.evaluation.expression.classifier.training as training

    registered.classification = ClassifierPlan(epochs=2)
    run(bench, patches, tmp_path / "two", threads=2)
    with monkeypatch.context() as only_here:
        only_here.setattr(training, "train", lambda *a, **k: pytest.fail("a classifier was trained again"))
        run(bench, patches, tmp_path / "kept")  # one process, from the cache
    run(bench, patches, tmp_path / "one", "bicubic:size=32", "--no-cache")
    one, two, kept = (read_run(tmp_path / name).items for name in ("one", "two", "kept"))
    assert one == two == kept


def test_one_classifier_per_fold_is_enough_when_it_is_trained_on_true_faces(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.evaluation.expression.classifier.training as training

    registered.classification = ClassifierPlan(epochs=2, train_on="hr", tested=(1,))
    seen: list[int] = []
    real = training.train
    monkeypatch.setattr(training, "train", lambda images, *a, **k: seen.append(len(images)) or real(images, *a, **k))
    record = run(bench, patches, tmp_path / "run")
    items = read_run(tmp_path / "run").items
    assert seen == [12] and {item.values["fold"] for item in items} == {1} and len(items) == 6
    assert record["protocol"]["folds tested"] == [1] and record["metrics"]["accuracy"]["n"] == 6


def test_a_true_face_of_several_turned_views_is_trained_on_once(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.evaluation.expression.classifier.training as training

    def twice(study: ExpressionSet) -> ExpressionSet:
        faces = tuple(replace(f, key=f"{f.key}{v}", template=f"{f.key}{v}") for f in study.faces for v in "ab")
        truths = tuple(replace(t, key=f"{t.key}{v}", template=f"{t.template}{v}") for t in study.truths for v in "ab")
        return replace(study, faces=faces, truths=truths)

    registered.changed = staticmethod(twice)
    registered.classification = ClassifierPlan(epochs=1, train_on="hr", references=False)
    seen: list[int] = []
    real = training.train
    monkeypatch.setattr(training, "train", lambda images, *a, **k: seen.append(len(images)) or real(images, *a, **k))
    record = run(bench, patches, tmp_path / "run")
    assert seen == [12] * 3 and record["metrics"]["accuracy"]["n"] == 36


def test_failed_faces_are_misses_and_are_not_trained_on(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches]
) -> None:
    def broken(study: ExpressionSet) -> ExpressionSet:
        faces = (replace(study.faces[0], path=tmp_path / "absent.png"), *study.faces[1:])
        return replace(study, faces=faces)

    registered.changed = staticmethod(broken)
    registered.classification = ClassifierPlan(epochs=1)
    record = run(bench, patches, tmp_path / "run")
    first = read_run(tmp_path / "run").items[0]
    assert (first.status, first.stage, first.reason) == ("failed", "decode", "file not found")
    assert "predicted" not in first.values and first.values["correct"] == 0
    figure = record["metrics"]["accuracy"]
    assert (figure["n"], figure["n_without_failures"]) == (18, 17)
    assert record["metrics"]["accuracy (frontal HR)"]["n_without_failures"] == 18
    assert record["ledger"]["probe"]["reasons"] == {"decode: file not found": 1}
    assert any("1 faces failed" in warning for warning in record["warnings"])
    assert read_run(tmp_path / "run").arrays["unpredicted"].tolist() == [1, 0, 0]


def test_a_run_in_which_every_face_fails_has_no_result(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches]
) -> None:
    missing = tmp_path / "gone.png"
    registered.changed = staticmethod(
        lambda study: replace(study, faces=tuple(replace(face, path=missing) for face in study.faces))
    )
    code, _, err = bench("run", "--protocol", "patches", "--data-root", patches, "--out", tmp_path / "run")
    assert code == 1 and "decode: file not found" in err and not (tmp_path / "run").exists()


def test_a_fold_without_training_faces_is_named(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches]
) -> None:
    code, _, err = bench(
        "run", "--protocol", "patches", "--data-root", patches, "--out", tmp_path / "run", "--limit", 1
    )
    assert code == 1 and re.search(r"Fold \d has 0 training faces", err)


def test_true_faces_are_never_hallucinated(
    bench: Bench, patches: Path, tmp_path: Path, registered: type[Patches]
) -> None:
    code, _, err = bench(
        "run", "--protocol", "patches", "--data-root", patches, "--out", tmp_path / "run", "--hallucinate", "both"
    )
    assert code == UsageError.exit_code and "true faces" in err


def item(person: str, fold: int, truth: str, predicted: str | None) -> ItemRow:
    values: dict[str, str | float] = {"expression": truth, "fold": fold}
    if predicted:
        values["predicted"] = predicted
    return ItemRow(f"{person}{fold}{truth}{predicted}", person, "ok" if predicted else "failed", "", "", values)


def test_figures_by_hand() -> None:
    rows = [
        item("a", 0, "anger", "anger"),
        item("a", 0, "anger", "fear"),
        item("a", 0, "anger", "anger"),
        item("b", 1, "fear", "fear"),
        item("b", 1, "fear", None),
    ]
    result = figures_of(rows, LABELS, seed=0)
    assert result["accuracy"].value == pytest.approx(3 / 5)
    assert result["accuracy"].without_failures == pytest.approx(3 / 4)
    assert result["accuracy (mean of folds)"].value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["uar"].value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert result["uar"].without_failures == pytest.approx((2 / 3 + 1) / 2)
    assert result["recall (anger)"].n == 3 and result["recall (fear)"].value == pytest.approx(0.5)
    assert "recall (neutral)" not in result
    assert result["accuracy"].low is not None and result["recall (anger)"].low is None  # one person only


def test_items_of_another_kind_have_no_figures() -> None:
    with pytest.raises(DataError, match="without faces"):
        figures_of([], LABELS, seed=0)
    with pytest.raises(DataError, match="expression"):
        figures_of([ItemRow("a", "p", "ok", "", "", {"psnr": 20.0})], LABELS, seed=0)
