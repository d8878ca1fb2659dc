"""Count, in one block of inexact scores, what certainly exceeds each threshold, and list what must be looked at closely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MANY_THRESHOLDS = 12  # from here on one sort of the row is cheaper than two comparisons a threshold


@dataclass(frozen=True, slots=True)
class Scan:
    """What one block of scores says.

    Attributes:
        above: (T,) int64, scores of the threshold's row that exceed it beyond the error.
        highs: (T,) thresholds plus error; a score counted in ``above`` is larger.
        unsure: (row, columns) where a score is within the error of a threshold of the row, or may be the row's largest.
        complete: False when there were more unsure scores than allowed; the rest is then unfinished.
    """

    above: NDArray[np.int64]
    highs: NDArray[np.floating]
    unsure: list[tuple[int, NDArray[np.int64]]]
    complete: bool


def scan(
    block: NDArray[np.floating],
    thresholds: NDArray[np.float64],
    starts: NDArray[np.int64],
    record: NDArray[np.float64],
    error: NDArray[np.float64],
    *,
    limit: int,
) -> Scan:
    """Compare a block of scores with the thresholds of each row and with the row's record so far.

    Args:
        block: (R, C) scores, float32 or float64, each within ``error`` of the truth; -inf is left out of everything.
        thresholds: (T,) true thresholds, row by row, descending within a row.
        starts: (R + 1,) ``thresholds[starts[r]:starts[r + 1]]`` are those of row r.
        record: (R,) largest true score of the row before this block; -inf for none.
        error: (R,) bound on the error of a score.
        limit: stop when more unsure scores than this have been found.
    """
    counts = np.diff(starts)
    margin = np.repeat(error, counts)
    below, beyond = np.array(-np.inf, dtype=block.dtype), np.array(np.inf, dtype=block.dtype)
    lows = np.nextafter((thresholds - margin).astype(block.dtype), below)
    highs = np.nextafter((thresholds + margin).astype(block.dtype), beyond)
    peaks = block.max(axis=1)
    with np.errstate(invalid="ignore"):  # a row of -inf only: handled by the last line
        rivals = np.nextafter(np.maximum(record - error, peaks - 2 * error).astype(block.dtype), below)
    interest = rivals.copy()
    interest[counts > 0] = np.minimum(rivals[counts > 0], lows[starts[1:][counts > 0] - 1])
    interest[np.isneginf(peaks)] = np.inf

    above = np.zeros(len(thresholds), dtype=np.int64)
    unsure: list[tuple[int, NDArray[np.int64]]] = []
    total = 0
    for row in np.flatnonzero(peaks >= interest).tolist():
        line = block[row]
        mine = slice(int(starts[row]), int(starts[row + 1]))
        if counts[row] > _MANY_THRESHOLDS:
            above[mine], near = _compare_sorted(line, lows[mine], highs[mine])
        else:
            near = _compare(line, lows, highs, mine, above)
        if peaks[row] >= rivals[row]:
            near = line >= rivals[row] if near is None else near | (line >= rivals[row])
        if near is not None:
            columns = np.flatnonzero(near)
            unsure.append((row, columns))
            total += len(columns)
            if total > limit:
                return Scan(above, highs, unsure, complete=False)
    return Scan(above, highs, unsure, complete=True)


def _compare(
    line: NDArray[np.floating],
    lows: NDArray[np.floating],
    highs: NDArray[np.floating],
    mine: slice,
    above: NDArray[np.int64],
) -> NDArray[np.bool_] | None:
    """Count one row threshold by threshold, lowest first; return the mask of unsure scores, None where there are none."""
    near: NDArray[np.bool_] | None = None
    for at in range(mine.stop - 1, mine.start - 1, -1):
        reached = line >= lows[at]
        some = np.count_nonzero(reached)
        if not some:
            break  # nothing reaches the higher thresholds either
        passed = line > highs[at]
        above[at] = sure = np.count_nonzero(passed)
        if sure != some:
            reached ^= passed
            near = reached if near is None else near | reached
    return near


def _compare_sorted(
    line: NDArray[np.floating], lows: NDArray[np.floating], highs: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Do the same for many thresholds by sorting the row; return the counts too."""
    ordered = np.sort(line)
    reached = len(line) - np.searchsorted(ordered, lows, side="left")
    passed = len(line) - np.searchsorted(ordered, highs, side="right")
    near: NDArray[np.bool_] | None = None
    for at in np.flatnonzero(reached != passed).tolist():
        mark = (line >= lows[at]) & (line <= highs[at])
        near = mark if near is None else near | mark
    return passed.astype(np.int64), near
