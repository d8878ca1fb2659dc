"""Groups: every rule joins what it should and nothing else, whatever the tiles; memory holds no square."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.errors import UsageError
from bench.faces.pairs import groups
from bench.faces.pairs.groups import Descriptions, group_photographs, near_photographs, perceptual_hash


def described(
    count: int,
    *,
    seed: int = 0,
    sha256: list[str] | None = None,
    made_by: str = "1",
    **given: NDArray[np.float32],
) -> Descriptions:
    """Photographs that nothing joins, but for what is given."""
    rng = np.random.default_rng(seed)
    digests = sha256 or [f"{seed:032x}{number:032x}" for number in range(count)]
    hashes = rng.integers(0, 256, (count, 8), np.uint8)
    rows = {name: unit(rng.normal(size=(count, 128))) for name in ("sface", "dlib")} | given
    return Descriptions(np.array(digests), hashes, rows, dict.fromkeys(rows, made_by))


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def same_person(photographs: Descriptions, first: int, second: int, *, names: tuple[str, ...]) -> Descriptions:
    """The second photograph gets the first's embeddings by the named recognisers."""
    rows = {name: values.copy() for name, values in photographs.embeddings.items()}
    for name in names:
        rows[name][second] = rows[name][first]
    return Descriptions(photographs.sha256, photographs.phash, rows, photographs.made_by)


def test_photographs_that_nothing_joins_are_groups_of_one() -> None:
    result = group_photographs(described(20))
    assert result.group.tolist() == list(range(20))
    assert result.pairs == {"bytes": 0, "phash": 0, "recognisers": 0}


def test_equal_files_are_one_group_and_every_pair_of_them_is_counted() -> None:
    result = group_photographs(described(5, sha256=["a", "b", "a", "c", "a"]), ("bytes",))
    assert result.group.tolist() == [0, 1, 0, 2, 0] and result.pairs == {"bytes": 3}


@pytest.mark.parametrize(("bits", "joined"), [(0, True), (4, True), (5, False)])
def test_perceptual_hashes_join_up_to_four_bits(bits: int, joined: bool) -> None:
    photographs = described(3)
    flipped = np.unpackbits(photographs.phash[0])
    flipped[:bits] ^= 1
    photographs.phash[2] = np.packbits(flipped)
    result = group_photographs(photographs, ("phash",))
    assert (result.group[0] == result.group[2]) is np.bool_(joined) and result.pairs["phash"] == joined


@pytest.mark.parametrize(("names", "joined"), [(("sface", "dlib"), 1), (("sface",), 0), (("dlib",), 0)])
def test_both_recognisers_must_agree(names: tuple[str, ...], joined: int) -> None:
    result = group_photographs(same_person(described(6), 1, 4, names=names))
    assert result.pairs["recognisers"] == joined and len(result.sizes) == 6 - joined


@pytest.mark.parametrize(("cosine", "distance", "joined"), [(0.61, 0.49, 1), (0.59, 0.49, 0), (0.61, 0.51, 0)])
def test_thresholds_of_the_recognisers_are_a_cosine_and_a_distance(cosine: float, distance: float, joined: int) -> None:
    sface, dlib = np.zeros((2, 128), np.float32), np.zeros((2, 128), np.float32)
    sface[0, 0], sface[1, :2] = 3, (5 * cosine, 5 * np.sqrt(1 - cosine**2))  # lengths do not count
    dlib[0, 0], dlib[1, :2] = 1, (1, distance)
    assert group_photographs(described(2, sface=sface, dlib=dlib)).pairs["recognisers"] == joined


def test_a_chain_of_rules_is_one_group() -> None:
    photographs = described(4, sha256=["a", "b", "c", "a"])
    photographs.phash[1] = photographs.phash[0]
    result = group_photographs(same_person(photographs, 1, 2, names=("sface", "dlib")))
    assert result.group.tolist() == [0, 0, 0, 0]


def test_a_photograph_without_a_face_is_near_none_by_recognisers() -> None:
    photographs = described(3)
    for rows in photographs.embeddings.values():
        rows[:2] = np.nan
    assert group_photographs(photographs).pairs["recognisers"] == 0


def test_labels_join_and_pairs_across_labels_are_counted() -> None:
    photographs = same_person(described(5), 0, 3, names=("sface", "dlib"))
    result = group_photographs(photographs, identities=["ann", "ann", "", "bob", ""])
    assert result.group.tolist() == [0, 0, 1, 0, 2]
    assert result.pairs["identity"] == 1 and result.across == 1


def test_small_tiles_give_the_same_groups_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    photographs = described(40)
    for first, second in ((0, 39), (5, 6), (6, 21), (30, 31)):
        photographs = same_person(photographs, first, second, names=("sface", "dlib"))
    whole = group_photographs(photographs)
    monkeypatch.setattr(groups, "_ROWS", 4)
    monkeypatch.setattr(groups, "_COLUMNS", 8)
    tiled = group_photographs(photographs)
    assert tiled.group.tolist() == whole.group.tolist() and tiled.pairs == whole.pairs
    assert whole.pairs["recognisers"] == 5 and len(whole.sizes) == 36  # 5, 6 and 21 are three pairs


def test_photographs_near_another_set_are_named_by_rule() -> None:
    photographs, others = described(6), described(3, seed=1, sha256=["x", f"{0:032x}{2:032x}", "y"])
    others.phash[0] = photographs.phash[4]
    for name, rows in others.embeddings.items():
        rows[2] = photographs.embeddings[name][5]
    near = near_photographs(photographs, others)
    assert {rule: np.flatnonzero(rows).tolist() for rule, rows in near.items()} == {
        "bytes": [2],
        "phash": [4],
        "recognisers": [5],
    }


def test_a_rule_that_a_set_has_no_embeddings_for_is_left_out_of_the_comparison() -> None:
    bare = Descriptions(np.array(["a"]), np.zeros((1, 8), np.uint8))
    assert set(near_photographs(described(2), bare)) == {"bytes", "phash"}
    with pytest.raises(UsageError, match="needs embeddings of sface, dlib"):
        group_photographs(bare)


def test_embeddings_of_other_weights_are_not_compared() -> None:
    with pytest.raises(UsageError, match="other weights"):
        near_photographs(described(2), described(2, made_by="2"))


@pytest.mark.parametrize("rules", [(), ("bytes", "faces")])
def test_unknown_rules_are_refused(rules: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="grouped by bytes, phash, recognisers"):
        group_photographs(described(2), rules)


def test_the_perceptual_hash_is_near_for_another_size_and_far_for_other_pictures() -> None:
    rng = np.random.default_rng(0)
    import cv2

    one, other = (cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (160, 160)) for _ in range(2))
    smaller = cv2.resize(one, (90, 90), interpolation=cv2.INTER_AREA)
    hashes = [np.unpackbits(perceptual_hash(np.asarray(image, np.uint8))) for image in (one, smaller, other)]
    assert (hashes[0] != hashes[1]).sum() <= 4 < 12 < (hashes[0] != hashes[2]).sum()
