"""Parts: whole groups, by a hash that size and order do not bias; published parts and large groups."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.faces.pairs.parts import PARTS, SHARES, assign_parts, is_large, with_groups


def digests(count: int) -> NDArray[np.str_]:
    return np.array([hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)])


@pytest.mark.parametrize("size", [1, 5])
def test_shares_are_those_stated_whatever_the_size_of_groups(size: int) -> None:
    count = 4000
    group = np.repeat(np.arange(count), size)
    parts = assign_parts(group, digests(count * size))
    assert (parts.reshape(count, size) == parts.reshape(count, size)[:, :1]).all(), "a group is in two parts"
    for part in PARTS:
        assert abs((parts == part).mean() - SHARES[part]) < 0.02


def test_the_part_depends_on_the_group_alone_not_on_order_or_other_groups() -> None:
    group, sha256 = np.repeat(np.arange(200), 2), digests(400)
    order = np.random.default_rng(0).permutation(400)[:300]
    whole = dict(zip(sha256.tolist(), assign_parts(group, sha256).tolist(), strict=True))
    _, renamed = np.unique(group[order], return_inverse=True)
    complete = np.isin(group[order], np.flatnonzero(np.bincount(group[order], minlength=200) == 2))
    some = assign_parts(renamed.astype(np.int64), sha256[order])
    assert complete.sum() > 100
    assert [whole[digest] for digest in sha256[order][complete].tolist()] == some[complete].tolist()


def test_a_large_group_trains() -> None:
    for number in range(20):
        group = np.concatenate([np.zeros(150, np.int64), np.arange(1, 351)])
        sha256 = digests(500 * (number + 1))[-500:]
        assert set(assign_parts(group, sha256)[:150].tolist()) == {"train"}
    assert is_large(group).sum() == 150 and not is_large(np.repeat(np.arange(4), 100)).any()


def test_a_group_with_a_photograph_of_a_published_test_part_is_sealed_and_of_validation_never_trains() -> None:
    group = np.repeat(np.arange(300), 2)
    partition = ["train", "test"] * 100 + ["validation", "train"] * 100 + ["train", ""] * 100
    parts = assign_parts(group, digests(600), partition)
    assert set(parts[:200].tolist()) == {"sealed"}
    assert set(parts[200:400].tolist()) == {"validation", "tuning"}
    assert set(parts[400:].tolist()) == {"train"}


def test_a_group_without_a_published_part_is_drawn() -> None:
    group, sha256 = np.arange(300), digests(300)
    assert assign_parts(group, sha256, [""] * 300).tolist() == assign_parts(group, sha256).tolist()


def test_near_photographs_take_their_groups_along() -> None:
    near = np.array([True, False, False, False])
    assert with_groups(near, np.array([0, 0, 1, 2])).tolist() == [True, True, False, False]


def test_of_a_large_group_only_near_photographs_and_those_of_their_people_are_taken() -> None:
    near, group = np.zeros(200, bool), np.zeros(200, np.int64)
    near[0] = True
    assert with_groups(near, group).sum() == 1
    labels = ["ann", "ann", "ann"] + ["bob"] * 100 + [""] * 97
    assert np.flatnonzero(with_groups(near, group, labels)).tolist() == [0, 1, 2]


def test_no_photographs_have_no_parts() -> None:
    assert assign_parts(np.zeros(0, np.int64), np.zeros(0, np.str_)).tolist() == []
