"""Groups of photographs that may show one person: connected components under several rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.errors import UsageError

RULES = ("bytes", "phash", "recognisers")
"""Equal bytes; perceptual hashes that differ in few bits; both recognisers above their thresholds."""
IDENTITY = "identity"
"""The rule of equal identity labels, which always applies where a set has them."""
MOST_BITS = 4
"""Largest number of differing bits, of 64, of two equal perceptual hashes."""
LEAST_COSINE = {"sface": 0.6}
MOST_DISTANCE = {"dlib": 0.5}
_ROWS, _COLUMNS = 1024, 8192  # of a tile of the comparisons of all pairs


@dataclass(frozen=True)
class Descriptions:
    """What photographs are compared by; N photographs.

    Attributes:
        sha256: hex digests of the files' bytes, str (N,).
        phash: perceptual hashes, uint8 (N, 8).
        embeddings: by name of the recogniser, float32 (N, D); NaN where no face was found. ``sface`` is compared by
            the cosine, ``dlib`` by the Euclidean distance; empty where no recogniser was used.
        made_by: by name of the recogniser, its version and the digests of its weights; empty where that is not known.
    """

    sha256: NDArray[np.str_]
    phash: NDArray[np.uint8]
    embeddings: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    made_by: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sha256)

    def take(self, rows: NDArray[np.int64]) -> Descriptions:
        """Some of the photographs."""
        embeddings = {name: values[rows] for name, values in self.embeddings.items()}
        return Descriptions(self.sha256[rows], self.phash[rows], embeddings, self.made_by)

    def available(self) -> tuple[str, ...]:
        """The rules that these descriptions suffice for."""
        return RULES if {*LEAST_COSINE, *MOST_DISTANCE} <= set(self.embeddings) else RULES[:2]


@dataclass(frozen=True)
class Groups:
    """Connected components of photographs.

    Attributes:
        group: int64 (N,), from 0 in order of appearance.
        pairs: number of pairs of photographs that each rule joins.
        across: of the pairs joined by other rules than labels, those with two different identity labels; 0 without
            labels.
    """

    group: NDArray[np.int64]
    pairs: dict[str, int]
    across: int = 0

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Photographs of each group, int64 (G,)."""
        return np.bincount(self.group).astype(np.int64)


def check_rules(rules: Sequence[str]) -> tuple[str, ...]:
    """Rules in their order.

    Raises:
        UsageError: one is unknown, or there is none.
    """
    unknown = sorted(set(rules) - set(RULES))
    if unknown or not rules:
        raise UsageError(f"Photographs are grouped by {', '.join(RULES)}, not by {', '.join(unknown) or 'nothing'}.")
    return tuple(rule for rule in RULES if rule in rules)


def group_photographs(
    described: Descriptions, rules: Sequence[str] = RULES, identities: Sequence[str] | None = None
) -> Groups:
    """Connected components of the photographs under all rules together.

    Pairs are compared tile by tile, so memory grows with the number of photographs only, not with its square.

    Args:
        described: N photographs.
        rules: of `RULES`.
        identities: labels of N people, empty where a photograph has none; equal labels are one group.

    Raises:
        UsageError: a rule is unknown, or needs embeddings that are absent.
    """
    chosen = check_rules(rules)
    missing = [rule for rule in chosen if rule not in described.available()]
    if missing:
        raise UsageError(f"Grouping by {', '.join(missing)} needs embeddings of {', '.join(_recognisers())}.")
    count = len(described)
    group = np.arange(count)
    pairs: dict[str, int] = {}
    across = 0
    labels = None if identities is None else np.array(identities)
    for rule, keys in (("bytes", described.sha256), (IDENTITY, labels)):
        if keys is None or (rule not in chosen and rule != IDENTITY):
            continue
        first, second, pairs[rule] = _equal(keys)
        group = _join(group, first, second)
        if labels is not None and rule == "bytes":
            across += _across(labels, first, second)
    for rule in chosen[1 if chosen[0] == "bytes" else 0 :]:
        pairs[rule] = 0
        for first, second in _near(rule, described, described, same=True):
            pairs[rule] += len(first)
            group = _join(group, first, second)
            across += 0 if labels is None else _across(labels, first, second)
    _, appearance, inverse = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(appearance))
    return Groups(order[inverse].astype(np.int64), pairs, across)


def near_photographs(
    described: Descriptions, others: Descriptions, rules: Sequence[str] = RULES
) -> dict[str, NDArray[np.bool_]]:
    """Which photographs are near any of another set, by rule: bool (N,) each.

    Args:
        described: N photographs.
        others: M photographs.
        rules: of `RULES`; one that either set has no embeddings for is left out of the result.

    Raises:
        UsageError: the embeddings of the two sets are of other weights, so that they cannot be compared.
    """
    for name, made_by in described.made_by.items():
        if others.made_by.get(name, made_by) != made_by:
            raise UsageError(f"The embeddings of {name} in the two sets are of other weights. Pack both again.")
    usable = [rule for rule in check_rules(rules) if rule in described.available() and rule in others.available()]
    near = {rule: np.zeros(len(described), bool) for rule in usable}
    for rule in usable:
        if rule == "bytes":
            near[rule] = np.isin(described.sha256, others.sha256)
            continue
        for first, _ in _near(rule, described, others, same=False):
            near[rule][first] = True
    return near


def perceptual_hash(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """64 bits of the 8 x 8 lowest frequencies of a photograph at 32 x 32, each against their median.

    Source: Zauner 2010, Implementation and benchmarking of perceptual image hash functions.

    Args:
        image: RGB uint8 (h, w, 3).

    Returns:
        uint8 (8,).
    """
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    lowest = np.asarray(cv2.dct(small))[:8, :8].ravel()
    return np.packbits(lowest > np.median(lowest[1:]))


def _recognisers() -> tuple[str, ...]:
    return (*LEAST_COSINE, *MOST_DISTANCE)


def _join(group: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Components after some more pairs; nothing but the label of each photograph is kept of earlier pairs."""
    if not len(first):
        return group
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(group)
    edges = (np.ones(len(first), bool), (group[first], group[second]))
    _, labels = connected_components(coo_matrix(edges, (count, count)), directed=False)
    return np.asarray(labels[group], np.int64)


def _equal(keys: NDArray[np.str_]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Each photograph with the next of the same key, and the number of all pairs; an empty key equals none."""
    places = np.flatnonzero(keys != "")
    order = places[np.argsort(keys[places], kind="stable")]
    same = keys[order[1:]] == keys[order[:-1]]
    sizes = np.unique(keys[places], return_counts=True)[1].astype(np.int64)
    return order[:-1][same], order[1:][same], int((sizes * (sizes - 1) // 2).sum())


def _across(labels: NDArray[np.str_], first: NDArray[np.int64], second: NDArray[np.int64]) -> int:
    """Pairs with two different labels."""
    one, other = labels[first], labels[second]
    return int(((one != other) & (one != "") & (other != "")).sum())


def _near(
    rule: str, described: Descriptions, others: Descriptions, *, same: bool
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs that a rule joins, tile by tile; within one set each pair once."""
    one, other = _comparable(rule, described), _comparable(rule, others)
    for top in range(0, len(described), _ROWS):
        for left in range(top - top % _COLUMNS if same else 0, len(others), _COLUMNS):
            rows, columns = slice(top, top + _ROWS), slice(left, left + _COLUMNS)
            joined = _joined(rule, [values[rows] for values in one], [values[columns] for values in other])
            first, second = np.nonzero(joined)
            first, second = first + top, second + left
            kept = first < second if same else np.ones(len(first), bool)
            yield first[kept], second[kept]


def _comparable(rule: str, described: Descriptions) -> list[NDArray[np.float32]]:
    """Vectors whose products a rule is decided by."""
    if rule == "phash":
        bits = np.unpackbits(described.phash, axis=1).astype(np.float32)
        return [bits * 2 - 1]
    unit = [described.embeddings[name].astype(np.float32) for name in LEAST_COSINE]
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in unit]
    return [*unit, *(described.embeddings[name].astype(np.float32) for name in MOST_DISTANCE)]


def _joined(rule: str, one: list[NDArray[np.float32]], other: list[NDArray[np.float32]]) -> NDArray[np.bool_]:
    """Whether a rule joins each pair of a tile, bool (rows, columns); a comparison with NaN is False."""
    if rule == "phash":
        return np.asarray((64 - one[0] @ other[0].T) / 2 <= MOST_BITS)
    joined: NDArray[np.bool_] = np.ones((len(one[0]), len(other[0])), bool)
    limits = [(True, least) for least in LEAST_COSINE.values()] + [(False, most) for most in MOST_DISTANCE.values()]
    for (cosine, limit), rows, columns in zip(limits, one, other, strict=True):
        products = rows @ columns.T
        if cosine:
            joined &= products >= limit
        else:
            squares = np.square(rows).sum(1)[:, None] + np.square(columns).sum(1)[None] - 2 * products
            joined &= squares <= limit**2
    return joined
