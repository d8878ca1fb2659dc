"""Search probes in a gallery block by block: ranks of all mates, without storing all probes x gallery scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
from bench.metrics.search.blockscan import Scan, expand, scan
from bench.metrics.search.similarity import (
    Similarity,
    check_embeddings,
    check_range,
    check_similarity,
    duplicate_groups,
    error_bound,
    exact_scores,
)

_FEW_UNSURE = 1 / 64  # share of a block up to which pairs are scored one by one; above it a float64 product is cheaper
_COMPARISONS = 1 << 17  # exact comparisons stored at a time
_FEW_DISTINCT = 1 / 16  # share of distinct rows in a gallery block below which only those are scored


@dataclass(frozen=True, slots=True)
class Match:
    """Result of the search of one probe in the gallery.

    Attributes:
        mated_ranks: positions of all its mates in the sorted gallery, 1-based, ascending, ties between mates and
            non-mates against the system; empty if it has no mate.
        optimistic_ranks: the same with those ties in the system's favour.
        best_mated: gallery row of the best mate (the lowest row of equals); None if it has none.
        best_mated_score: its score, float64.
        best_nonmated: gallery row of the best non-mate (the lowest row of equals); None if there is none.
        best_nonmated_score: its score, float64.
    """

    mated_ranks: tuple[int, ...]
    optimistic_ranks: tuple[int, ...]
    best_mated: int | None
    best_mated_score: float | None
    best_nonmated: int | None
    best_nonmated_score: float | None


def search(
    probes: NDArray[np.float32],
    gallery: NDArray[np.float32],
    probe_ids: NDArray[np.int64],
    gallery_ids: NDArray[np.int64],
    *,
    similarity: Similarity = "cosine",
    probe_block: int = 512,
    gallery_block: int = 8192,
    progress: Callable[[int, int], None] | None = None,
) -> list[Match]:
    """Rank the mates of each probe among all gallery templates.

    rank(p, g) = 1 + #{non-mated h : s(p, h) >= s(p, g)} + #{mates of p placed before g}

    so the best mate's rank is 1 + the number of non-mates that score as high or higher: constant embeddings rank
    last. Order is decided by float64 scores of single pairs (`bench.metrics.search.similarity.exact_scores`); a float32
    matrix product decides only where its error bound allows it. Results do not depend on the block sizes. Memory is of
    the order of one block of scores plus the number of mated pairs.

    Args:
        probes: (P, D) float32, finite; of unit length for the cosine.
        gallery: (G, D) float32, likewise.
        probe_ids: (P,) integers >= 0, identity of each probe.
        gallery_ids: (G,) integers >= -1, identity of each gallery template; -1 for a distractor, never a mate.
        similarity: ``cosine`` (dot product of the rows as given) or ``euclidean`` (negative distance).
        probe_block: probes scored at a time.
        gallery_block: gallery templates scored at a time.
        progress: called with (gallery templates done, G) after each gallery block.

    Returns:
        One match per probe, in the order of the probes.

    Raises:
        DataError: a shape, dtype or identity is wrong, or an embedding is not finite.
        UsageError: an unknown similarity, or a block size below 1.

    Source: Li & Jain 2005, Handbook of Face Recognition, ch. 14.1 (no numbered equation); the tie rule is this suite's.
    """
    check_similarity(similarity)
    if probe_block < 1 or gallery_block < 1:
        raise UsageError(f"Block sizes are {probe_block} and {gallery_block}; expected at least 1.")
    task = _Search(probes, gallery, probe_ids, gallery_ids, similarity, block=(probe_block, gallery_block))
    for start in range(0, len(gallery), gallery_block):
        columns = slice(start, min(start + gallery_block, len(gallery)))
        for first in range(0, len(probes), probe_block):
            task.add_block(slice(first, min(first + probe_block, len(probes))), columns)
        if progress is not None:
            progress(columns.stop, len(gallery))
    return task.matches()


class _Search:
    """The mated pairs, and counts over the blocks so far.

    Pairs are stored probe by probe, best first: ``starts[p]:starts[p + 1]`` are those of probe p. A *level* is a score
    as stored in the blocks: p.g for the cosine, p.g - |g|^2 / 2 for distances (the same order within a probe).
    """

    def __init__(
        self,
        probes: NDArray[np.float32],
        gallery: NDArray[np.float32],
        probe_ids: NDArray[np.int64],
        gallery_ids: NDArray[np.int64],
        similarity: Similarity,
        block: tuple[int, int],
    ) -> None:
        self.probe_norms = check_embeddings("probe", probes)
        self.gallery_norms = check_embeddings("gallery", gallery)
        if probes.shape[1] != gallery.shape[1]:
            raise DataError(f"Probe embeddings have {probes.shape[1]} dimensions, gallery ones {gallery.shape[1]}.")
        check_range(self.probe_norms, self.gallery_norms)
        _check_ids("probe", probe_ids, len(probes), lowest=0)
        _check_ids("gallery", gallery_ids, len(gallery), lowest=-1)
        self.probes, self.gallery = np.ascontiguousarray(probes), np.ascontiguousarray(gallery)
        self.similarity: Similarity = similarity

        self.starts, self.pair_probes, rows = _mated_pairs(probe_ids, gallery_ids)
        scores = exact_scores(self.probes, self.gallery, self.pair_probes, rows, similarity)
        order = np.lexsort((rows, -scores, self.pair_probes))
        self.pair_rows, self.pair_scores = rows[order], scores[order]
        self.pair_levels = self._levels(self.pair_scores, self.probe_norms[self.pair_probes])
        self.by_row = np.argsort(self.pair_rows, kind="stable")

        size = min(block[0], len(probes)) * min(block[1], len(gallery))
        self.buffer, self.mask = np.empty(size, dtype=np.float32), np.empty(size, dtype=np.bool_)
        self.above = np.zeros(len(rows), dtype=np.int64)  # non-mates with a higher score
        self.ties = np.zeros(len(rows), dtype=np.int64)  # non-mates with an equal score
        self.best_scores = np.full(len(probes), -np.inf)
        self.best_rows = np.full(len(probes), -1, dtype=np.int64)

    @cached_property
    def representatives(self) -> NDArray[np.int64]:
        """Row of the first gallery template equal to each; computed only when embeddings are equal."""
        return duplicate_groups(self.gallery)

    def add_block(self, rows: slice, columns: slice) -> None:
        """Count the gallery templates of ``columns`` for the probes of ``rows``."""
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        size = shape[0] * shape[1]
        block: NDArray[np.floating] = self._fill(self.buffer[:size].reshape(shape), rows, columns)
        scanned = self._scan(block, rows, columns, limit=int(size * _FEW_UNSURE) + 64)
        representatives = None
        if not scanned.complete:
            representatives = self.representatives[columns]
            if len(np.unique(representatives)) > shape[1] * _FEW_DISTINCT:
                block = self._fill(np.empty(shape, dtype=np.float64), rows, columns)
            scanned = self._scan(block, rows, columns, limit=size)
        self.above[self._pairs(rows)] += scanned.above
        if len(scanned.rows):
            self._count_unsure(scanned, rows.start, columns.start, representatives)

    def matches(self) -> list[Match]:
        """The matches from the counts of all blocks."""
        place = np.arange(len(self.pair_rows)) - self.starts[self.pair_probes]
        optimistic = (1 + place + self.above).tolist()
        pessimistic = (1 + place + self.above + self.ties).tolist()
        result = []
        for probe, (first, stop) in enumerate(zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True)):
            mated, rival = stop > first, int(self.best_rows[probe])
            result.append(
                Match(
                    mated_ranks=tuple(pessimistic[first:stop]),
                    optimistic_ranks=tuple(optimistic[first:stop]),
                    best_mated=int(self.pair_rows[first]) if mated else None,
                    best_mated_score=float(self.pair_scores[first]) if mated else None,
                    best_nonmated=rival if rival >= 0 else None,
                    best_nonmated_score=float(self.best_scores[probe]) if rival >= 0 else None,
                )
            )
        return result

    def _levels(self, scores: NDArray[np.float64], probe_norms: NDArray[np.float64]) -> NDArray[np.float64]:
        return scores if self.similarity == "cosine" else (probe_norms**2 - scores**2) / 2

    def _pairs(self, rows: slice) -> slice:
        return slice(int(self.starts[rows.start]), int(self.starts[rows.stop]))

    def _fill(self, block: NDArray[np.floating], rows: slice, columns: slice) -> NDArray[np.floating]:
        """Fill a block with levels in its own dtype; mates become -inf, so that they are not counted."""
        probes, gallery = self.probes[rows], self.gallery[columns]
        np.matmul(probes.astype(block.dtype, copy=False), gallery.astype(block.dtype, copy=False).T, out=block)
        if self.similarity == "euclidean":
            block -= (self.gallery_norms[columns] ** 2 / 2).astype(block.dtype)
        low, high = np.searchsorted(self.pair_rows, (columns.start, columns.stop), sorter=self.by_row)
        inside = self.by_row[low:high]
        probes_of_pairs = self.pair_probes[inside]
        in_rows = (probes_of_pairs >= rows.start) & (probes_of_pairs < rows.stop)
        block[probes_of_pairs[in_rows] - rows.start, self.pair_rows[inside[in_rows]] - columns.start] = -np.inf
        return block

    def _scan(self, block: NDArray[np.floating], rows: slice, columns: slice, *, limit: int) -> Scan:
        norms = self.probe_norms[rows]
        pairs = self._pairs(rows)
        return scan(
            block,
            self.pair_levels[pairs],
            self.starts[rows.start : rows.stop + 1] - pairs.start,
            self._levels(self.best_scores[rows], norms),
            error_bound(
                block.dtype, self.probes.shape[1], norms, float(self.gallery_norms[columns].max()), self.similarity
            ),
            self.mask[: block.size].reshape(block.shape),
            limit=limit,
        )

    def _count_unsure(self, scanned: Scan, first: int, offset: int, representatives: NDArray[np.int64] | None) -> None:
        """Count the unsure pairs of a block by their exact scores; with representatives, equal rows are scored once."""
        rows, columns = scanned.rows, scanned.columns
        weights = np.ones(len(rows), dtype=np.int64)
        if representatives is not None:
            rows, columns, weights = _merge_equal(rows, columns, representatives)
        probes, gallery_rows = rows + first, columns + offset
        scores = exact_scores(self.probes, self.gallery, probes, gallery_rows, self.similarity)
        step = max(1, _COMPARISONS // max(1, int(np.diff(self.starts)[probes].max())))
        for start in range(0, len(probes), step):
            part = slice(start, start + step)
            items, pairs = expand(probes[part], self.starts)
            score, weight = scores[part][items], weights[part][items]
            np.add.at(self.above, pairs, weight * (score > self.pair_scores[pairs]))
            np.add.at(self.ties, pairs, weight * (score == self.pair_scores[pairs]))

        bounds = np.flatnonzero(np.diff(probes, prepend=-1, append=-1))
        peaks = np.maximum.reduceat(scores, bounds[:-1])
        for index in np.flatnonzero(peaks > self.best_scores[probes[bounds[:-1]]]).tolist():
            of_probe = slice(int(bounds[index]), int(bounds[index + 1]))
            probe = int(probes[of_probe.start])
            self.best_scores[probe] = peaks[index]
            self.best_rows[probe] = gallery_rows[of_probe][scores[of_probe] == peaks[index]].min()


def _merge_equal(
    rows: NDArray[np.int64], columns: NDArray[np.int64], representatives: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Keep the lowest of a row's equal columns; return rows, columns and the number of columns that each represents."""
    _, groups = np.unique(representatives, return_inverse=True)
    lowest = np.empty(int(groups.max()) + 1, dtype=np.int64)
    representatives_of_rows: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
    for part in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows)) + 1):
        backwards = columns[part][::-1]
        lowest[groups[backwards]] = backwards  # the last one written is the lowest
        copies = np.bincount(groups[backwards])
        present = np.flatnonzero(copies)
        representatives_of_rows.append(
            (np.full(len(present), rows[part[0]], dtype=np.int64), lowest[present], copies[present])
        )
    merged = [np.concatenate(parts) for parts in zip(*representatives_of_rows, strict=True)]
    return merged[0], merged[1], merged[2]


def _check_ids(name: str, ids: NDArray[np.int64], count: int, *, lowest: int) -> None:
    if ids.shape != (count,) or not np.issubdtype(ids.dtype, np.integer):
        raise DataError(f"The {name} identities are {ids.dtype} of shape {ids.shape}; expected integers ({count},).")
    if ids.min() < lowest:
        raise DataError(f"A {name} identity is {int(ids.min())}; expected at least {lowest}.")


def _mated_pairs(
    probe_ids: NDArray[np.int64], gallery_ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """List all mated pairs probe by probe: starts (P + 1,), probe of each pair, gallery row of each pair."""
    order = np.argsort(gallery_ids, kind="stable")
    low = np.searchsorted(gallery_ids, probe_ids, side="left", sorter=order)
    counts = np.searchsorted(gallery_ids, probe_ids, side="right", sorter=order) - low
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    within = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
    return starts, np.repeat(np.arange(len(probe_ids)), counts), order[np.repeat(low, counts) + within].astype(np.int64)
