"""For one block of inexact scores: count scores that certainly exceed each threshold and list the unsure ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FEW = 1 / 64  # share of a row below which its relevant scores are gathered with those of other rows
_MANY_THRESHOLDS = 12  # above this, one sort of the row is cheaper than two comparisons per threshold


@dataclass(frozen=True, slots=True)
class Scan:
    """Result of the scan of one block of scores.

    Attributes:
        above: (T,) int64, scores of the threshold's row that certainly exceed it, without unsure ones.
        rows: (U,) int64, ascending: rows of the unsure scores, those within the error of a threshold of their row or
            possibly its new maximum.
        columns: (U,) int64, their columns, ascending within a row.
        complete: False when there were more unsure scores than allowed; the other fields are then incomplete.
    """

    above: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    complete: bool


def expand(rows: NDArray[np.int64], starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair each item with each entry of its row: item numbers and entry numbers, equally long.

    Args:
        rows: (N,) row of each item.
        starts: (R + 1,) entries ``starts[r]:starts[r + 1]`` are those of row r.
    """
    times = (starts[1:] - starts[:-1])[rows]
    stops = np.cumsum(times)
    total = int(stops[-1]) if len(stops) else 0
    return np.repeat(np.arange(len(rows)), times), np.arange(total) + np.repeat(starts[rows] - (stops - times), times)


def scan(
    block: NDArray[np.floating],
    thresholds: NDArray[np.float64],
    starts: NDArray[np.int64],
    record: NDArray[np.float64],
    error: NDArray[np.float64],
    mask: NDArray[np.bool_],
    *,
    limit: int,
) -> Scan:
    """Compare a block of scores with the thresholds of each row and with the row's maximum so far.

    Args:
        block: (R, C) scores, float32 or float64, each within ``error`` of the true score; -inf is ignored.
        thresholds: (T,) true thresholds, row by row, descending within a row.
        starts: (R + 1,) ``thresholds[starts[r]:starts[r + 1]]`` are those of row r.
        record: (R,) largest true score of the row before this block; -inf for none.
        error: (R,) bound on the error of a score.
        mask: (R, C) scratch space.
        limit: stop after more unsure scores than this.
    """
    lows, highs = _between(thresholds, np.repeat(error, np.diff(starts)), block.dtype)
    peaks = block.max(axis=1)
    record_candidates, _ = _between(np.maximum(record, peaks - error), error, block.dtype)
    lowest_relevant = record_candidates.copy()
    mated = starts[1:] > starts[:-1]
    lowest_relevant[mated] = np.minimum(record_candidates[mated], lows[starts[1:][mated] - 1])
    lowest_relevant[np.isneginf(peaks)] = np.inf
    np.greater_equal(block, lowest_relevant[:, None], out=mask)

    above = np.zeros(len(thresholds), dtype=np.int64)
    unsure: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    total = 0
    for row in np.flatnonzero(peaks >= lowest_relevant).tolist():
        if np.count_nonzero(mask[row]) <= _FEW * block.shape[1]:
            continue
        pairs_of_row = slice(int(starts[row]), int(starts[row + 1]))
        above[pairs_of_row], close = _scan_row(
            block[row], lows[pairs_of_row], highs[pairs_of_row], record_candidates[row], mask[row]
        )
        mask[row] = False
        unsure.append((np.full(len(close), row, dtype=np.int64), close))
        total += len(close)
        if total > limit:
            break
    else:
        counts, rows, columns = _scan_few(block, lows, highs, starts, record_candidates, mask)
        above += counts
        unsure.append((rows, columns))
        total += len(rows)
    rows, columns = (np.concatenate(parts) for parts in zip(*unsure, strict=True))
    order = np.argsort(rows, kind="stable")
    return Scan(above, rows[order], columns[order], complete=total <= limit)


def _between(
    values: NDArray[np.float64], error: NDArray[np.float64], dtype: np.dtype[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Bounds of ``values`` in the dtype of the block, rounded outwards."""
    low, high = (values - error).astype(dtype), (values + error).astype(dtype)
    return np.nextafter(low, np.array(-np.inf, dtype)), np.nextafter(high, np.array(np.inf, dtype))


def _scan_few(
    block: NDArray[np.floating],
    lows: NDArray[np.floating],
    highs: NDArray[np.floating],
    starts: NDArray[np.int64],
    rivals: NDArray[np.floating],
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Compare all scores under the mask at once; return counts above, rows and columns of unsure scores."""
    flat = np.flatnonzero(mask)
    rows, columns = np.divmod(flat, block.shape[1])
    scores = block[rows, columns]
    unsure = scores >= rivals[rows]
    items, entries = expand(rows, starts)
    score = scores[items]
    exceeds = score > highs[entries]
    unsure[items[(score >= lows[entries]) & ~exceeds]] = True
    counts = np.bincount(entries[exceeds & ~unsure[items]], minlength=len(lows))
    return counts, rows[unsure], columns[unsure]


def _scan_row(
    line: NDArray[np.floating],
    lows: NDArray[np.floating],
    highs: NDArray[np.floating],
    rival: np.floating,
    mask: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Compare one row; return counts above each threshold and the columns of unsure scores."""
    unsure = line >= rival
    above = np.zeros(len(lows), dtype=np.int64)
    if len(lows) > _MANY_THRESHOLDS:
        ordered = np.sort(line)
        above += len(line) - np.searchsorted(ordered, highs, side="right")
        for index in np.flatnonzero(len(line) - np.searchsorted(ordered, lows, side="left") != above).tolist():
            unsure |= (line >= lows[index]) & (line <= highs[index])
    else:
        exceeding = np.empty_like(mask)
        for index in range(len(lows) - 1, -1, -1):
            reaching = np.count_nonzero(np.greater_equal(line, lows[index], out=mask))
            if not reaching:
                break  # nothing reaches the higher thresholds either
            above[index] = np.count_nonzero(np.greater(line, highs[index], out=exceeding))
            if above[index] != reaching:
                unsure |= mask ^ exceeding
    columns = np.flatnonzero(unsure)
    above -= len(columns) - np.searchsorted(np.sort(line[columns]), highs, side="right")
    return above, columns
