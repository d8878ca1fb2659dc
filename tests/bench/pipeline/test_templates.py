"""Fusion of templates and the search in several galleries: a case worked by hand, and plain NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import DataError
from bench.evaluation.identification.figures import figures_of
from bench.evaluation.identification.search import identify, join_gallery
from bench.pipeline.templates import Fusion, Templates, fuse
from bench.results import ProbeRow
from bench.types import OK, Media, Outcome

GOLDEN = json.loads((Path(__file__).parents[2] / "goldens" / "ijbc.json").read_text())
FAILED = Outcome("failed", "decode", "file not found")


def golden_templates(part: str) -> Templates:
    listed = [item for item in GOLDEN["media"] if (item["part"] == "probe") == (part == "probe")]
    media = [
        Media(f"{i}", Path("x"), "probe", item["identity"], item["template"], medium=item["medium"])
        for i, item in enumerate(listed)
    ]
    vectors = np.array([item["vector"] for item in listed], np.float32)
    return fuse(media, vectors, [OK] * len(media), unit_length=True, fusion="media")


def searched(galleries: dict[str, tuple[str, ...]]) -> list[ProbeRow]:
    gallery, probes = golden_templates("gallery"), golden_templates("probe")
    none = fuse([], gallery.vectors[:0], [], unit_length=True)
    rows: list[ProbeRow] = []
    for name, keys in galleries.items():
        rows += identify(probes, join_gallery(gallery, none, keys), similarity="cosine", name=name, open_set=True)
    return rows


def test_media_fusion_of_the_worked_case() -> None:
    for part in ("gallery", "probe"):
        fused = golden_templates(part)
        expected = [GOLDEN["templates"][key] for key in fused.keys]
        np.testing.assert_allclose(fused.vectors, expected, atol=1e-7)
    assert fused.keys == ("5", "6", "7", "8", "9", "10", "11", "12")


def test_ranks_and_figures_of_the_worked_case() -> None:
    rows = searched({"G1": ("1", "2"), "G2": ("3", "4"), "joined": ("1", "2", "3", "4")})
    joined = {row.template: row.rank for row in rows if row.gallery == "joined"}
    assert joined == GOLDEN["joined_ranks"]
    messages: dict[str, Any] = {"ranks": (1, 2, 3), "mean_average_precision": False, "seed": 0}
    result = figures_of(rows, **messages, false_positive_rates=(GOLDEN["rate"],))
    for name, value in GOLDEN["figures"].items():
        assert result[name].value == pytest.approx(value, abs=1e-9), name
    pooled = figures_of(
        searched({"G1": ("1", "2"), "G2": ("3", "4")}), **messages, false_positive_rates=(GOLDEN["rate"],)
    )
    for name, value in GOLDEN["pooled"].items():
        assert pooled[name].value == pytest.approx(value, abs=1e-9), name


def test_open_set_rows_of_the_worked_case() -> None:
    rows = searched({"G1": ("1", "2"), "G2": ("3", "4")})
    expected = GOLDEN["rows"]["probes"]
    assert len(rows) == len(expected) == 16
    for row, case in zip(rows, expected, strict=True):
        score = row.best_mated_score if case["mated"] else row.best_nonmated_score
        assert (row.gallery, row.identity, bool(row.mates), row.rank) == (
            case["gallery"], case["identity"], case["mated"], case["rank"],
        )  # fmt: skip
        assert score == pytest.approx(case["score"], abs=1e-6)
    assert [row.key for row in rows[:2]] == ["5 in G1", "6 in G1"]


def random_media(rng: np.random.Generator) -> tuple[list[Media], np.ndarray, list[Outcome]]:
    media, outcomes = [], []
    for i in range(60):
        template = int(rng.integers(0, 9))  # rows of a template are not together
        media.append(
            Media(
                f"{i}", Path("x"), "probe", f"p{template}", f"t{template}",
                attributes={"score": float(rng.uniform(0, 1))}, medium=str(rng.integers(0, 3)) if i % 5 else "",
            )
        )  # fmt: skip
        outcomes.append(FAILED if rng.random() < 0.2 else OK)
    vectors = rng.standard_normal((60, 7)).astype(np.float32) * rng.uniform(0.5, 4, (60, 1)).astype(np.float32)
    vectors[[o is FAILED for o in outcomes]] = np.nan
    return media, vectors, outcomes


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fusion", ["mean", "unit", "media"])
def test_fusion_equals_plain_numpy(fusion: Fusion, weighted: bool) -> None:
    media, vectors, outcomes = random_media(np.random.default_rng(1))
    fused = fuse(media, vectors, outcomes, unit_length=True, fusion=fusion, score_weighted=weighted)
    for key, vector in zip(fused.keys, fused.vectors, strict=True):
        rows = [i for i, item in enumerate(media) if item.template == key and outcomes[i].status == "ok"]
        template_vectors = vectors[rows].astype(np.float64)
        if fusion == "unit":
            template_vectors /= np.linalg.norm(template_vectors, axis=1)[:, None]
        if weighted:
            template_vectors *= np.array([media[i].attributes["score"] for i in rows], np.float64)[:, None]
        names = [media[i].medium or media[i].key for i in rows]
        if fusion == "media":
            total = sum(template_vectors[[n == name for n in names]].mean(axis=0) for name in sorted(set(names)))
        else:
            total = template_vectors.mean(axis=0)
        np.testing.assert_allclose(vector, total / np.linalg.norm(total), atol=1e-6)
    assert len(fused.keys) == 9


def test_a_medium_with_many_frames_counts_as_much_as_a_still() -> None:
    media = [Media(f"{i}", Path("x"), "probe", "a", "t", medium="video" if i else "still") for i in range(11)]
    vectors = np.array([[1, 0]] + [[0, 1]] * 10, np.float32)
    one = fuse(media, vectors, [OK] * 11, unit_length=True, fusion="media")
    np.testing.assert_allclose(one.vectors[0], [0.5**0.5, 0.5**0.5], atol=1e-7)
    other = fuse(media, vectors, [OK] * 11, unit_length=True, fusion="mean")
    assert other.vectors[0][0] < 0.2


def test_a_template_all_of_whose_images_failed_is_a_failure_and_a_part_is_a_fallback() -> None:
    media = [Media(f"{i}", Path("x"), "probe", "a", f"t{i // 2}") for i in range(4)]
    vectors = np.array([[np.nan], [np.nan], [np.nan], [2]], np.float32)
    fused = fuse(media, vectors, [FAILED, FAILED, FAILED, OK], unit_length=True, fusion="media")
    assert [o.status for o in fused.outcomes] == ["failed", "fallback"]
    assert np.isnan(fused.vectors[0]).all() and fused.vectors[1].tolist() == [1.0]


def test_a_failed_mate_makes_its_probe_fail_in_its_gallery_and_not_in_the_other() -> None:
    gallery = fuse(
        [Media("g1", Path("x"), "gallery", "a", "1"), Media("g2", Path("x"), "gallery", "b", "2")],
        np.array([[np.nan, np.nan], [1, 0]], np.float32), [FAILED, OK], unit_length=True,
    )  # fmt: skip
    probes = fuse([Media("p", Path("x"), "probe", "a", "3")], np.array([[1, 0]], np.float32), [OK], unit_length=True)
    none = fuse([], np.empty((0, 2), np.float32), [], unit_length=True)
    one, other = (
        identify(probes, join_gallery(gallery, none, [key]), similarity="cosine", name=key, open_set=True)[0]
        for key in ("1", "2")
    )
    assert (one.status, one.reason, one.rank) == ("failed", "no mate could be scored", None)
    assert (other.status, other.mates, other.best_nonmated_score) == ("ok", 0, 1.0)


def test_a_gallery_of_templates_that_are_not_enrolled_is_refused() -> None:
    gallery = golden_templates("gallery")
    with pytest.raises(DataError, match="1 of 2 templates of a gallery have no media"):
        join_gallery(gallery, fuse([], gallery.vectors[:0], [], unit_length=True), ["1", "99"])


def test_open_set_search_equals_plain_numpy() -> None:
    rng = np.random.default_rng(3)
    people = [f"p{i}" for i in range(12)]
    gallery_media = [Media(f"g{i}", Path("x"), "gallery", p, f"g{i}") for i, p in enumerate(people)]
    probe_media = [Media(f"q{i}", Path("x"), "probe", people[i % 12], f"q{i}") for i in range(40)]
    vectors = [rng.standard_normal((len(m), 5)).astype(np.float32) for m in (gallery_media, probe_media)]
    gallery, probes = (
        fuse(m, v, [OK] * len(m), unit_length=True, fusion="media")
        for m, v in zip((gallery_media, probe_media), vectors, strict=True)
    )
    none = fuse([], vectors[0][:0], [], unit_length=True)
    keys = gallery.keys[:7]
    rows = identify(probes, join_gallery(gallery, none, keys), similarity="cosine", name="G1", open_set=True)
    unit = [v.astype(np.float64) / np.linalg.norm(v, axis=1)[:, None] for v in vectors]
    scores = unit[1] @ unit[0][:7].T
    for i, row in enumerate(rows):
        mated = np.array([people[j] == row.identity for j in range(7)])
        others = scores[i][~mated]
        assert row.best_nonmated_score == pytest.approx(others.max(), abs=1e-6)
        assert row.mates == mated.sum()
        assert row.rank == (1 + int((others >= scores[i][mated][0]).sum()) if mated.any() else None)
