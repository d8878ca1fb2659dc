from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import DataError, UsageError
from bench.metrics.search.ranking import Match, search

GOLDENS = Path(__file__).parents[3] / "goldens" / "identification.json"


def by_hand(probes, gallery, probe_ids, gallery_ids, similarity):
    """Ranks from whole-number arithmetic and plain Python sorting; embeddings hold small integers."""
    result = []
    for probe, identity in zip(probes.tolist(), probe_ids.tolist(), strict=True):
        scores = []
        for row in gallery.tolist():
            if similarity == "cosine":
                scores.append(sum(Fraction(a) * Fraction(b) for a, b in zip(probe, row, strict=True)))
            else:
                scores.append(-sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(probe, row, strict=True)))
        mates = sorted((s for s, g in zip(scores, gallery_ids, strict=True) if g == identity), reverse=True)
        others = [(s, -at) for at, (s, g) in enumerate(zip(scores, gallery_ids, strict=True)) if g != identity]
        result.append(
            (
                tuple(1 + at + sum(s >= mate for s, _ in others) for at, mate in enumerate(mates)),
                tuple(1 + at + sum(s > mate for s, _ in others) for at, mate in enumerate(mates)),
                -max(others)[1] if others else None,
            )
        )
    return result


def ranks_of(matches: list[Match]):
    return [(match.mated_ranks, match.optimistic_ranks) for match in matches]


@st.composite
def tied_cases(draw):
    """Small integer embeddings: many exact ties, and every score exact in float64."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probes, gallery, dim = draw(st.integers(1, 8)), draw(st.integers(1, 60)), draw(st.integers(1, 5))
    people, spread = draw(st.integers(1, 12)), draw(st.integers(0, 3))
    return (
        rng.integers(-spread, spread + 1, (probes, dim)).astype(np.float32),
        rng.integers(-spread, spread + 1, (gallery, dim)).astype(np.float32),
        rng.integers(0, people, probes),
        rng.integers(-1, people, gallery),
    )


similarities = st.sampled_from(["cosine", "euclidean"])


@given(case=tied_cases(), similarity=similarities, probe_block=st.integers(1, 9), gallery_block=st.integers(1, 64))
@settings(max_examples=120, deadline=None)
def test_ranks_equal_whole_number_arithmetic_whatever_the_block_sizes(case, similarity, probe_block, gallery_block):
    matches = search(*case, similarity=similarity, probe_block=probe_block, gallery_block=gallery_block)
    expected = by_hand(*case, similarity)
    assert ranks_of(matches) == [each[:2] for each in expected]
    assert [match.best_nonmated for match in matches] == [each[2] for each in expected]


@given(case=tied_cases(), similarity=similarities, seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_gallery_order_does_not_matter(case, similarity, seed):
    probes, gallery, probe_ids, gallery_ids = case
    order = np.random.default_rng(seed).permutation(len(gallery))
    shuffled = search(probes, gallery[order], probe_ids, gallery_ids[order], similarity=similarity)
    assert ranks_of(shuffled) == ranks_of(search(*case, similarity=similarity))


@given(case=tied_cases(), similarity=similarities, scale=st.sampled_from([3.0, 7.0, 2.0**-50, 2.0**-70, 2.0**40]))
@settings(max_examples=40, deadline=None)
def test_scaling_all_embeddings_changes_no_rank(case, similarity, scale):
    probes, gallery, probe_ids, gallery_ids = case
    factor = np.float32(scale)
    scaled = search(probes * factor, gallery * factor, probe_ids, gallery_ids, similarity=similarity)
    assert ranks_of(scaled) == ranks_of(search(*case, similarity=similarity))


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
def test_ranks_equal_a_dense_float64_reference_on_unit_vectors(similarity):
    rng = np.random.default_rng(5)
    probe_ids, gallery_ids = rng.integers(0, 40, 70), rng.integers(-1, 40, 900)
    centres = rng.standard_normal((41, 64))
    probes = (0.5 * centres[probe_ids] + rng.standard_normal((70, 64))).astype(np.float32)
    gallery = (0.5 * centres[gallery_ids] + rng.standard_normal((900, 64))).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    matches = search(probes, gallery, probe_ids, gallery_ids, similarity=similarity, probe_block=16, gallery_block=128)

    p, g = probes.astype(np.float64), gallery.astype(np.float64)
    scores = p @ g.T if similarity == "cosine" else -np.linalg.norm(p[:, None] - g, axis=2)
    for probe, match in enumerate(matches):
        mated = gallery_ids == probe_ids[probe]
        order = np.argsort(-scores[probe], kind="stable")
        assert match.mated_ranks == match.optimistic_ranks == tuple(np.flatnonzero(mated[order]) + 1)
        assert match.best_mated == order[mated[order]][0]
        assert match.best_nonmated == order[~mated[order]][0]
        assert match.best_mated_score == pytest.approx(scores[probe, match.best_mated], abs=1e-12)
        assert match.best_nonmated_score == pytest.approx(scores[probe, match.best_nonmated], abs=1e-12)


def test_the_worked_example_holds():
    golden = json.loads(GOLDENS.read_text())["search"]
    gallery = np.array(golden["gallery"], dtype=np.float32)[:, None]
    (match,) = search(np.ones((1, 1), np.float32), gallery, np.array([0]), np.array(golden["gallery_ids"]))
    assert match.mated_ranks == tuple(golden["mated_ranks"])
    assert match.optimistic_ranks == tuple(golden["optimistic_ranks"])
    assert (match.best_mated, match.best_nonmated) == (golden["best_mated"], golden["best_nonmated"])
    assert match.best_mated_score == pytest.approx(0.8, abs=1e-7)


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
@pytest.mark.parametrize("distinct", [1, 3, 150])
def test_constant_embeddings_rank_last(similarity, distinct):
    """Few distinct rows are scored once; many (of which the probe's ties are one) go through float64."""
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.full((1, 16), 0.25), rng.uniform(-0.25, 0.2, (distinct - 1, 16))]).astype(np.float32)
    gallery = np.concatenate([np.repeat(rows[:1], 700, axis=0), rows[rng.integers(0, distinct, 300)]])
    tied = int((gallery == rows[0]).all(axis=1).sum())
    gallery_ids = np.full(1000, -1)
    gallery_ids[3] = 0
    (match,) = search(rows[:1], gallery, np.array([0]), gallery_ids, similarity=similarity, gallery_block=400)
    assert match.mated_ranks == (tied,)
    assert match.optimistic_ranks == (1,)
    assert (match.best_mated, match.best_nonmated) == (3, 0)
    assert match.best_mated_score == match.best_nonmated_score


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
def test_nearly_constant_embeddings_are_ranked_by_their_last_bits(similarity):
    rng = np.random.default_rng(1)
    steps = rng.integers(-500, 500, (60, 32)), rng.integers(-500, 500, (2000, 32))
    probes, gallery = ((1 + step * 2.0**-23).astype(np.float32) for step in steps)  # 1 +- 6e-5, exact
    probe_ids, gallery_ids = rng.integers(0, 30, 60), rng.integers(-1, 30, 2000)
    matches = search(probes, gallery, probe_ids, gallery_ids, similarity=similarity, gallery_block=512)
    ps, gs = ((x.astype(np.float64) * 2.0**24).astype(np.int64).astype(object) for x in (probes, gallery))  # exact
    for probe in range(0, 60, 7):
        truth = (ps[probe] * gs).sum(axis=1) if similarity == "cosine" else -((ps[probe] - gs) ** 2).sum(axis=1)
        mates = sorted(truth[gallery_ids == probe_ids[probe]], reverse=True)
        others = truth[gallery_ids != probe_ids[probe]]
        assert matches[probe].optimistic_ranks == tuple(1 + at + int((others > s).sum()) for at, s in enumerate(mates))


def test_a_tie_counts_against_the_system_even_where_float32_sums_differ():
    """The same rows in another place of the matrix product may round differently; the float64 score does not."""
    rng = np.random.default_rng(2)
    row = rng.standard_normal((1, 512)).astype(np.float32)
    gallery = rng.standard_normal((3001, 512)).astype(np.float32) * np.float32(0.5)
    copies = np.array([1, 17, 1000, 2999, 3000])
    gallery[copies] = row
    gallery_ids = np.full(3001, -1)
    gallery_ids[1000] = 4
    (match,) = search(row, gallery, np.array([4]), gallery_ids, gallery_block=999)
    assert (match.mated_ranks, match.optimistic_ranks) == ((5,), (1,))
    assert match.best_nonmated == 1


def test_many_mates_take_their_positions_in_the_sorted_gallery():
    rng = np.random.default_rng(3)
    gallery = rng.integers(-40, 41, (400, 3)).astype(np.float32)
    gallery_ids = np.where(np.arange(400) % 4 == 0, 0, -1)
    probes = rng.integers(-3, 4, (5, 3)).astype(np.float32)
    case = (probes, gallery, np.zeros(5, np.int64), gallery_ids)
    for similarity in ("cosine", "euclidean"):
        matches = search(*case, similarity=similarity, gallery_block=130)
        assert ranks_of(matches) == [each[:2] for each in by_hand(*case, similarity)]
        assert all(len(match.mated_ranks) == 100 for match in matches)


def test_a_probe_without_mate_has_a_best_non_mate():
    (match,) = search(
        np.array([[1, 0]], np.float32), np.array([[0, 1], [1, 1]], np.float32), np.array([7]), np.array([1, -1])
    )
    assert match == Match((), (), None, None, 1, 1.0)


def test_a_gallery_of_mates_only_has_no_non_mate():
    (match,) = search(
        np.array([[1, 0]], np.float32), np.array([[0, 1], [1, 1]], np.float32), np.array([7]), np.array([7, 7])
    )
    assert match == Match((1, 2), (1, 2), 1, 1.0, None, None)


def test_a_distractor_is_never_a_mate():
    (match,) = search(np.ones((1, 2), np.float32), np.ones((2, 2), np.float32), np.array([0]), np.array([-1, -1]))
    assert match.mated_ranks == ()


def test_progress_is_reported_after_each_gallery_block():
    message = []
    search(
        np.ones((2, 2), np.float32),
        np.ones((5, 2), np.float32),
        np.zeros(2, np.int64),
        np.zeros(5, np.int64),
        gallery_block=2,
        progress=lambda done, total: message.append((done, total)),
    )
    assert message == [(2, 5), (4, 5), (5, 5)]


GOOD = {
    "probes": np.ones((2, 3), np.float32),
    "gallery": np.ones((4, 3), np.float32),
    "probe_ids": np.array([0, 1]),
    "gallery_ids": np.array([0, 1, -1, -1]),
}


@pytest.mark.parametrize(
    ("change", "expected_message"),
    [
        ({"probes": np.full((2, 3), np.nan, np.float32)}, "2 of 2 probe embeddings are not finite"),
        ({"gallery": np.where(np.eye(4, 3) > 0, np.inf, 1).astype(np.float32)}, "3 of 4 gallery embeddings"),
        ({"probes": np.ones((2, 3))}, "expected float32"),
        ({"probes": np.ones((0, 3), np.float32)}, "neither of them 0"),
        ({"gallery": np.ones(4, np.float32)}, "expected float32"),
        ({"gallery": np.ones((4, 2), np.float32)}, "3 dimensions, gallery ones 2"),
        ({"probe_ids": np.array([0])}, r"expected integers \(2,\)"),
        ({"probe_ids": np.array([0.0, 1.0])}, "expected integers"),
        ({"probe_ids": np.array([0, -1])}, "expected at least 0"),
        ({"gallery_ids": np.array([0, 1, -1, -2])}, "expected at least -1"),
        ({"gallery": np.full((4, 3), 1e19, np.float32)}, "overflow float32"),
    ],
)
def test_unusable_input_is_refused(change, expected_message):
    with pytest.raises(DataError, match=expected_message):
        search(**(GOOD | change))


@pytest.mark.parametrize("option", [{"similarity": "cos"}, {"probe_block": 0}, {"gallery_block": 0}])
def test_unusable_options_are_refused(option):
    with pytest.raises(UsageError):
        search(**GOOD, **option)
