"""`bench.evaluate`: the figures of arrays are those of a run, and those computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bench as suite
from bench.config import make_config
from bench.evaluation.contract import embed_roles
from bench.execution.execute import prepare

GALLERY = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
PEOPLE = ["a", "b", "c"]


def test_the_embeddings_of_a_run_give_its_figures_to_the_last_digit(tmp_path: Path) -> None:
    run = suite.run("tinyface", out=tmp_path / "run", progress=False)
    prepared = prepare(make_config(None, {"protocol": "tinyface"}))
    parts, _ = embed_roles(prepared)
    vectors = {
        role: np.where([[outcome.status != "failed"] for outcome in part.outcomes], part.vectors, np.nan)
        for role, part in parts.items()
    }
    labels = {role: [str(item.identity) for item in items] for role, items in prepared.media.items()}
    result = suite.evaluate(
        vectors["probe"],
        labels["probe"],
        gallery=vectors["gallery"],
        gallery_labels=labels["gallery"],
        distractors=vectors["distractor"] if len(labels["distractor"]) else None,
        false_accept_rates=(),
    )
    assert dict(result.figures) == dict(run.figures)
    assert list(result.probes["rank"]) == list(run.probes["rank"])


def test_ranks_of_a_small_search_are_those_by_hand() -> None:
    probes = [[1, 0.1, 0], [0.9, 0.5, 0], [0.1, 0, 1]]  # the second is nearer to a than to its mate b
    result = suite.evaluate(probes, PEOPLE, gallery=GALLERY, gallery_labels=PEOPLE, ranks=(1, 2))
    assert result.figures["rank-1"].value == 2 / 3 and result.figures["rank-1"].n == 3
    assert result.figures["rank-2"].value == 1.0
    assert list(result.probes["rank"]) == [1, 2, 1]
    assert result.figures["auc"].n == 9, "every probe with every gallery row"
    assert "tpir@fpir=0.1" not in result.figures


def test_a_failed_probe_is_a_miss_and_a_failed_gallery_row_is_not_searched() -> None:
    gallery = np.vstack([GALLERY, [[0, 1, 0]]])
    gallery[1] = np.nan
    probes = np.array([[1, 0, 0], [0, 1, 0], [0, np.inf, 1]])
    result = suite.evaluate(probes, PEOPLE, gallery=gallery, gallery_labels=[*PEOPLE, "b"], ranks=(1,))
    figure = result.figures["rank-1"]
    assert (figure.value, figure.n) == (2 / 3, 3)
    assert (figure.without_failures, figure.n_without_failures) == (1.0, 2)
    assert "1 of 3 probe rows failed and count as misses." in result.warnings
    assert "1 of 4 gallery rows failed and are not searched." in result.warnings
    assert result.warnings[0] in result._repr_html_()


def test_a_vector_of_length_zero_fails_only_where_it_would_be_scaled() -> None:
    probes = np.vstack([GALLERY[:2], np.zeros(3)])
    scaled, plain = (
        suite.evaluate(probes, PEOPLE, gallery=GALLERY, gallery_labels=PEOPLE, unit_length=scale, ranks=(1, 3))
        for scale in (True, False)
    )
    assert scaled.figures["rank-3"].value == 2 / 3
    assert plain.figures["rank-3"].value == 1.0, "ties rank last, but are ranked"


def test_probes_without_a_mate_give_open_set_figures_and_stay_out_of_the_rank() -> None:
    rng = np.random.default_rng(0)
    people = rng.normal(size=(20, 16))
    strangers = rng.normal(size=(100, 16))
    result = suite.evaluate(
        np.vstack([people + 0.01, strangers]),
        np.arange(120),
        gallery=people,
        gallery_labels=np.arange(20),
        false_positive_rates=(0.001, 0.01, 0.1),
    )
    assert (result.figures["rank-1"].value, result.figures["rank-1"].n) == (1.0, 20)
    assert (result.figures["tpir@fpir=0.01"].value, result.figures["tpir@fpir=0.01"].n) == (1.0, 20)
    assert "tpir@fpir=0.001" not in result.figures
    assert any("tpir@fpir=0.001 is not given: it needs at least 1000 probes" in text for text in result.warnings)


def test_distractors_enter_the_search_and_no_pair() -> None:
    near = [[1, 0.1, 0]]
    arguments = {"gallery": GALLERY, "gallery_labels": PEOPLE, "ranks": (1,)}
    alone = suite.evaluate([[1, 0.2, 0]], ["a"], **arguments)
    among = suite.evaluate([[1, 0.2, 0]], ["a"], distractors=near, **arguments)
    assert (alone.figures["rank-1"].value, among.figures["rank-1"].value) == (1.0, 0.0)
    assert alone.figures["auc"] == among.figures["auc"]


def test_without_a_gallery_all_pairs_are_compared() -> None:
    embeddings = [[1, 0], [1, 0.1], [0, 1], [0.1, 1]]
    result = suite.evaluate(embeddings, [0, 0, 1, 1], false_accept_rates=(0.25,))
    assert set(result.figures) == {"auc", "eer", "tar@far=0.25"}
    assert (result.figures["auc"].value, result.figures["auc"].n) == (1.0, 6)
    assert (result.figures["tar@far=0.25"].value, result.figures["tar@far=0.25"].n) == (1.0, 2)
    assert result.probes.empty
    without = suite.evaluate(embeddings, [0, 0, 1, 1], false_accept_rates=(0.001,))
    assert "4 different pairs are too few for a FAR of 0.001." in without.warnings


def test_true_accept_rates_of_pairs_are_those_counted_by_hand() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(12), 5)
    embeddings = rng.normal(size=(12, 8))[labels] + rng.normal(size=(60, 8))
    result = suite.evaluate(embeddings, labels, false_accept_rates=(0.01,))
    unit = embeddings.astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    first, second = np.triu_indices(60, 1)
    scores, same = np.sum(unit[first] * unit[second], axis=1), labels[first] == labels[second]
    threshold = np.sort(scores[~same])[::-1][int(0.01 * (~same).sum())]
    figure = result.figures["tar@far=0.01"]
    assert (figure.value, figure.n) == ((scores[same] > threshold).mean(), same.sum())
    assert figure.low is not None and figure.low < figure.value < (figure.high or 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ["a", "b"]}, r"labels have shape \(2,\); expected \(3,\)"),
        ({"labels": [0.5, 1, 2]}, "labels are float64; expected integers"),
        ({"labels": [1, 2, 3]}, "integers, those of the other are text"),
        ({"labels": ["a", "", "c"]}, "text that is not empty"),
        ({"labels": ["x", "y", "z"]}, "None of 3 probes has a mate"),
        ({"embeddings": np.zeros((3, 2))}, "gallery embeddings have 3 numbers each, those of probes 2"),
        ({"embeddings": [1.0, 2.0]}, "expected numbers"),
        ({"embeddings": np.full((3, 3), np.nan)}, "None of 3 probes"),
        ({"gallery_labels": None}, "gallery and gallery_labels together"),
        ({"ranks": (0,), "similarity": "dot"}, "rank 0, similarity 'dot'"),
        ({"false_positive_rates": (2,), "false_accept_rates": (0,)}, "false positive rate 2, false accept rate 0"),
    ],
)
def test_what_does_not_fit_is_an_error(change: dict[str, object], message: str) -> None:
    arguments = {"embeddings": GALLERY, "labels": PEOPLE, "gallery": GALLERY, "gallery_labels": PEOPLE, **change}
    with pytest.raises(suite.BenchError, match=message):
        suite.evaluate(**arguments)  # type: ignore[arg-type]


def test_pairs_of_one_kind_and_too_many_pairs_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(suite.DataError, match="Of 3 pairs none is same"):
        suite.evaluate(GALLERY, PEOPLE)
    with pytest.raises(suite.DataError, match="every pair has a failed embedding"):
        suite.evaluate(np.full((3, 3), np.nan), ["a", "a", "b"])
    monkeypatch.setattr("bench.api.arrays.MOST_PAIRS", 2)
    with pytest.raises(suite.UsageError, match="3 embeddings give 3 pairs; at most 2 are compared"):
        suite.evaluate(GALLERY, ["a", "a", "b"])
    result = suite.evaluate(GALLERY, PEOPLE, gallery=GALLERY, gallery_labels=PEOPLE)
    assert "auc" not in result.figures and "9 pairs are more than 2" in result.warnings[0]
