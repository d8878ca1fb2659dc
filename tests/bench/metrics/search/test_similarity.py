from __future__ import annotations

import math

import numpy as np
import pytest

from bench.metrics.search.similarity import duplicate_groups, error_bound, exact_scores


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
@pytest.mark.parametrize("dim", [1, 7, 512, 1000])
def test_a_score_does_not_depend_on_the_other_pairs_of_the_call(similarity, dim):
    rng = np.random.default_rng(dim)
    probes = rng.standard_normal((3, dim)).astype(np.float32)
    gallery = rng.standard_normal((700, dim)).astype(np.float32)
    rows = rng.integers(0, 3, 700)
    together = exact_scores(probes, gallery, rows, np.arange(700), similarity)
    for at in (0, 1, 13, 511, 512, 699):
        alone = exact_scores(
            probes[rows[at]][None].copy(), gallery[at : at + 1].copy(), np.zeros(1, int), np.zeros(1, int), similarity
        )
        assert alone[0] == together[at]
        p, g = probes[rows[at]].tolist(), gallery[at].tolist()
        expected = math.fsum(a * b for a, b in zip(p, g, strict=True)) if similarity == "cosine" else -math.dist(p, g)
        assert together[at] == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
def test_a_matrix_product_stays_within_the_error_bound(dtype, similarity):
    rng = np.random.default_rng(0)
    probes = (rng.standard_normal((20, 300)) * 10.0 ** rng.uniform(-3, 3, (20, 1))).astype(np.float32)
    gallery = rng.standard_normal((400, 300)).astype(np.float32)
    p, g = probes.astype(dtype), gallery.astype(dtype)
    half = (g.astype(np.float64) ** 2).sum(axis=1) / 2
    blocked = p @ g.T - (half.astype(dtype) if similarity == "euclidean" else 0)
    pp, gg = probes.astype(np.longdouble), gallery.astype(np.longdouble)
    truth = pp @ gg.T - ((gg**2).sum(axis=1) / 2 if similarity == "euclidean" else 0)
    pnorm = np.linalg.norm(probes.astype(np.float64), axis=1)
    bound = error_bound(np.dtype(dtype), 300, pnorm, math.sqrt(2 * half.max()), similarity)
    assert (np.abs(blocked - truth) <= bound[:, None]).all()
    assert (bound[pnorm > 10] < (1e-3 if dtype is np.float32 else 1e-9) * pnorm[pnorm > 10] * 25).all()  # not vacuous


def test_equal_rows_share_their_first_row():
    rows = np.array([[1, 2], [3, 4], [1, 2], [2, 1], [3, 4], [0.0, 1], [-0.0, 1]], np.float32)
    assert duplicate_groups(rows).tolist() == [0, 1, 0, 3, 1, 5, 6]  # -0.0 has other bytes: merely scored apart
