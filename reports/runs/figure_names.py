"""Names of figures such as ``rank-5`` or ``psnr_db (yaw 22)``: their order, and which are headlines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.results import rank_of
from bench.results import split_name as split

__all__ = ["MOST", "PAIRED_FIGURE", "headlines", "in_order", "rank_of", "split"]

MOST = 12
"""Maximum number of figures that a table shows side by side."""

PAIRED_FIGURE = "rank-1"
"""The figure of searches whose paired differences are shown."""


def in_order(runs: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Names of the figures of several runs: rank-k by k, then the others in the order in which runs store them."""
    order: list[str] = []
    for names in runs:
        at = 0
        for name in names:
            if name in order:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
    ranks = {name: k for name in order if (k := rank_of(name)) is not None}
    return (*sorted(ranks, key=lambda name: (ranks[name], name)), *(name for name in order if name not in ranks))


def headlines(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The headline figures, at most `MOST` of the whole, and the others, which a folded table shows."""
    whole = [name for name in names if not split(name)[1]] or list(names)
    front = tuple(whole[:MOST])
    return front, tuple(name for name in names if name not in front)
