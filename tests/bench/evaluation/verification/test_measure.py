"""A run that compares pairs: its figures against plain NumPy and scikit-learn, again from its folder, and failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.config import make_config
from bench.errors import BenchError, DataError
from bench.evaluation import rescore
from bench.evaluation.verification.figures import figures
from bench.evaluation.verification.measure import score_pairs
from bench.execution.execute import execute, prepare
from bench.images import encode_png, read_image, resize
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.pipeline.templates import Templates
from bench.results import RunResult
from bench.results.folder import read_run
from bench.studies import VerificationSet
from bench.types import OK, CheckLine, Media, Outcome, Role

PEOPLE, FOLDS = 6, 3
FAILED = Outcome("failed", "decode", "file is empty")


class Pairs(EvalProtocol):
    """Six people, two to a fold: all pairs of their two enrolled and two verified images."""

    dataset = "toy-pairs"
    how_to_get = "they are drawn"
    thresholds = "exact"
    far_rule = "exact"

    def __init__(self, *, folds: bool = True, joined: bool = False, euclidean: bool = False) -> None:
        self.folds, self.joined = folds, joined
        self.similarity = "euclidean" if euclidean else "cosine"
        self.false_positive_rates = (0.125, 0.25, 0.0001)

    def locate(self, root: Path) -> Path:
        return root

    def check(self, root: Path, progress: object = None) -> list[CheckLine]:
        return []

    def read(self, root: Path) -> VerificationSet:
        def media(role: Role) -> tuple[Media, ...]:
            return tuple(
                Media(f"{role}/{i}_{k}.png", root / role / f"{i}_{k}.png", role, f"p{i}", f"{role} {i} {k * one}")
                for i in range(PEOPLE)
                for k in range(2)
                for one in [0 if self.joined else 1]
            )

        each = 1 if self.joined else 2
        size = PEOPLE // FOLDS * each
        rows = [(f * size + i, f * size + j, f) for f in range(FOLDS) for i in range(size) for j in range(size)]
        first, second, fold = (np.array(column, np.int64) for column in zip(*rows, strict=True))
        same = first // each == second // each
        return VerificationSet(media("gallery"), media("probe"), first, second, same, fold if self.folds else None)


@pytest.fixture
def root(toys: SimpleNamespace, tmp_path: Path) -> Path:
    PROTOCOLS.register("toy-pairs", summary="Pairs.")(Pairs)
    folder: Path = toys.write(tmp_path / "pairs", people=PEOPLE)
    rng = np.random.default_rng(5)
    for path in sorted(folder.rglob("*.png")):  # hard to tell apart, so that no figure is perfect
        image = read_image(path)
        path.write_bytes(encode_png(np.asarray(0.35 * image + 0.65 * rng.integers(0, 255, image.shape), np.uint8)))
    return folder


@pytest.fixture
def run(root: Path, tmp_path: Path) -> Callable[..., RunResult]:
    def call(protocol: str = "toy-pairs", **more: Any) -> RunResult:
        out = tmp_path / f"run {protocol}"
        given = {"protocol": protocol, "data_root": root, "recogniser": "pixels", "out": out, "images": "none"} | more
        result, fresh = execute(prepare(make_config(None, given)))
        assert fresh
        return result

    return call


def vectors(root: Path, role: str) -> NDArray[np.float64]:
    """What the recogniser ``pixels`` makes of an image that is enlarged to its chip, at unit length."""
    import cv2

    rows = []
    for i in range(PEOPLE):
        for k in range(2):
            image = read_image(root / role / f"{i}_{k}.png")
            chip = cv2.resize(image, (16, 16), interpolation=cv2.INTER_CUBIC)
            rows.append(resize(np.asarray(chip, np.uint8), 4, 4).reshape(-1).astype(np.float64) - 100)
    table = np.stack(rows)
    return np.asarray(table / np.linalg.norm(table, axis=1, keepdims=True), np.float64)


def by_hand(root: Path, data: VerificationSet) -> tuple[NDArray[np.float64], list[float]]:
    """Scores by a matrix product; accuracies of folds by trying every midpoint."""
    scores = (vectors(root, "gallery") @ vectors(root, "probe").T)[data.first, data.second]
    assert data.fold is not None
    accuracies = []
    for f in range(FOLDS):
        train, test = data.fold != f, data.fold == f
        values = np.unique(scores[train])[::-1]
        cuts = [values[0] + 1, *((values[1:] + values[:-1]) / 2), values[-1]]
        best = cuts[int(np.argmax([((scores[train] >= t) == data.same[train]).sum() for t in cuts]))]
        accuracies.append(float(((scores[test] >= best) == data.same[test]).mean()))
    return scores, accuracies


def test_the_figures_are_those_of_plain_numpy_and_scikit_learn(root: Path, run: Callable[..., RunResult]) -> None:
    result = run()
    data = Pairs().read(root)
    scores, accuracies = by_hand(root, data)
    metrics = result.record.metrics
    assert result.arrays["scores"] == pytest.approx(scores, abs=1e-6)
    assert result.arrays["scores"].dtype == np.float32
    assert metrics["accuracy"].value == pytest.approx(np.mean(accuracies), abs=1e-12)
    assert metrics["accuracy"].n == metrics["auc"].n == 48
    assert metrics["accuracy std"].value == pytest.approx(np.std(accuracies, ddof=1), abs=1e-12)
    assert metrics["accuracy se"].value == pytest.approx(np.std(accuracies, ddof=1) / 3**0.5, abs=1e-12)
    assert metrics["auc"].value == pytest.approx(roc_auc_score(data.same, scores), abs=1e-12)
    assert 0.55 < metrics["auc"].value < 0.99
    limit = np.sort(scores[~data.same])[-4]  # 24 different pairs: at 0.125 three may be accepted
    assert metrics["tar@far=0.125"].value == pytest.approx((scores[data.same] > limit).mean(), abs=1e-12)
    assert metrics["tar@far=0.125"].n == 24
    assert "tar@far=0.0001" not in metrics
    assert "24 different pairs are too few for a FAR of 0.0001." in result.record.warnings
    assert metrics["auc"].low is not None and metrics["auc"].interval.startswith("bootstrap over 3 folds")
    assert [item.values["accuracy"] for item in result.items] == pytest.approx(accuracies, abs=1e-12)
    assert [item.key for item in result.items] == ["fold 1", "fold 2", "fold 3"]
    assert result.record.protocol["kind"] == "verification" and result.record.data["counts"]["probe"] == 12


def test_every_figure_is_recomputed_from_the_folder(root: Path, run: Callable[..., RunResult], tmp_path: Path) -> None:
    result = run()
    for path in root.rglob("*.png"):
        path.unlink()
    stored = read_run(tmp_path / "run toy-pairs")
    assert rescore(stored).record.metrics == result.record.metrics
    changed = dict(stored.arrays) | {"scores": -stored.arrays["scores"]}
    worse = rescore(replace(stored, arrays=changed)).record.metrics
    assert worse["auc"].value == pytest.approx(1 - result.record.metrics["auc"].value)


@pytest.mark.parametrize("arrays", [{}, {"scores": np.zeros(2, np.float32)}])
def test_a_folder_without_its_arrays_is_refused(arrays: dict[str, Any], run: Callable[..., RunResult]) -> None:
    with pytest.raises(DataError, match="The arrays of this run lack"):
        figures(replace(run(), arrays=arrays))


def test_pairs_of_a_failed_template_are_errors_and_are_counted(root: Path, run: Callable[..., RunResult]) -> None:
    (root / "probe" / "0_0.png").write_bytes(b"")  # in four pairs, two of them same
    result = run()
    metrics, data = result.record.metrics, Pairs().read(root)
    scores, same, fold = (result.arrays[name] for name in ("scores", "same", "fold"))
    assert np.isnan(scores).sum() == 4 and np.isnan(scores[data.second == 0]).all()
    alive = ~np.isnan(scores)
    accuracy = metrics["accuracy"]
    assert accuracy.without_failures is not None and accuracy.value < accuracy.without_failures
    assert (accuracy.n, accuracy.n_without_failures) == (48, 44)
    first = result.items[0]
    threshold = float(first.values["threshold"])
    right = (scores.astype(np.float64) >= threshold) == same
    assert first.values["accuracy"] == right[alive & (fold == 0)].sum() / 16
    assert first.values["accuracy_without_failures"] == right[alive & (fold == 0)].sum() / 12
    assert (first.status, first.values["failed"]) == ("fallback", 4.0)
    assert metrics["auc"].without_failures == pytest.approx(roc_auc_score(same[alive], scores[alive]))
    worst = np.where(alive, scores, -2)  # failed: below all, tied among themselves
    assert metrics["auc"].value == pytest.approx(roc_auc_score(same, worst))
    tar = metrics["tar@far=0.25"]
    assert (tar.n, tar.n_without_failures) == (24, 22)
    assert result.record.warnings[0].startswith("4 of 48 pairs have a failed template")


def test_pairs_in_no_folds_have_rates_with_intervals_over_people_and_no_accuracy(
    run: Callable[..., RunResult], tmp_path: Path
) -> None:
    result = run("toy-pairs:folds=false")
    metrics = result.record.metrics
    assert list(metrics) == ["auc", "eer", "tar@far=0.125", "tar@far=0.25"]
    assert metrics["auc"].low is None
    assert metrics["tar@far=0.125"].interval.endswith("threshold held")
    assert [item.key for item in result.items] == ["all pairs"]
    assert (result.arrays["fold"] == -1).all()
    assert rescore(read_run(tmp_path / "run toy-pairs:folds=false")).record.metrics == metrics


def test_euclidean_distance_of_unit_vectors_gives_the_figures_of_the_cosine(run: Callable[..., RunResult]) -> None:
    cosine, euclidean = run(), run("toy-pairs:euclidean=true")
    assert euclidean.arrays["scores"] == pytest.approx(
        -np.sqrt(2 - 2 * cosine.arrays["scores"].astype(float)), abs=1e-5
    )
    for name in ("accuracy", "auc", "eer", "tar@far=0.125"):
        assert euclidean.record.metrics[name].value == pytest.approx(cosine.record.metrics[name].value, abs=1e-9)


def test_media_of_a_template_are_fused(root: Path, run: Callable[..., RunResult]) -> None:
    result = run("toy-pairs:joined=true")

    def fused(role: str) -> NDArray[np.float64]:
        unit = vectors(root, role)
        raw = unit * lengths(root, role)
        mean = raw.reshape(PEOPLE, 2, -1).mean(axis=1)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float64)

    data = Pairs(joined=True).read(root)
    expected = (fused("gallery") @ fused("probe").T)[data.first, data.second]
    assert result.arrays["scores"] == pytest.approx(expected, abs=1e-6)


def lengths(root: Path, role: str) -> NDArray[np.float64]:
    """Norms of the embeddings as they are, (N, 1)."""
    import cv2

    rows = [read_image(root / role / f"{i}_{k}.png") for i in range(PEOPLE) for k in range(2)]
    chips = [np.asarray(cv2.resize(image, (16, 16), interpolation=cv2.INTER_CUBIC), np.uint8) for image in rows]
    table = np.stack([resize(chip, 4, 4).reshape(-1).astype(np.float64) - 100 for chip in chips])
    return np.asarray(np.linalg.norm(table, axis=1, keepdims=True), np.float64)


def test_the_rules_of_the_protocol_are_followed_and_kept(
    run: Callable[..., RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pairs, "thresholds", "grid")
    monkeypatch.setattr(Pairs, "far_rule", "nearest")
    result = run()
    assert {result.record.protocol[name] for name in ("thresholds", "far_rule")} == {"grid", "nearest"}
    steps = [(1 - float(item.values["threshold"])) * 2 / 0.01 for item in result.items]
    assert steps == pytest.approx(np.round(steps), abs=1e-6)


def test_a_run_without_scored_pairs_is_an_error(root: Path, run: Callable[..., RunResult]) -> None:
    for path in (root / "probe").iterdir():
        path.write_bytes(b"")
    with pytest.raises(BenchError, match="None of 48 pairs could be scored .decode: file is empty"):
        run()


def test_a_smoke_run_omits_figures_that_it_cannot_measure(run: Callable[..., RunResult]) -> None:
    small = run(limit="12")
    assert small.record.smoke and "accuracy" in small.record.metrics
    with pytest.raises(BenchError, match="--limit"):
        run(limit="1", overwrite="always")


def test_a_score_depends_on_its_two_templates_only() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(5, 512)).astype(np.float32)
    table[3] = table[1]
    table[4] = np.nan
    outcomes = (OK,) * 4 + (FAILED,)
    media = tuple(Media(str(i), Path("x"), "probe", str(i), str(i)) for i in range(5))
    side = Templates(tuple("abcde"), tuple("abcde"), table, outcomes, media)
    first, second = np.array([0, 2, 0, 0, 4, 0]), np.array([1, 1, 3, 1, 0, 4])
    scores = score_pairs(side, side, first, second, "cosine")
    assert scores[0] == scores[2] == scores[3]
    assert np.isnan(scores).tolist() == [False] * 4 + [True] * 2
    assert scores[1] == pytest.approx(float(table[2] @ table[1]), rel=1e-5)
