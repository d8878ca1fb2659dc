"""The galleries that probes of runs are searched in, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.evaluation.identification.galleries import JOINED, gallery_names
from bench.results import ProbeRow


def in_parts(runs: Iterable[Sequence[ProbeRow]]) -> bool:
    """Whether probes are searched in named galleries, or some have no mate: figures are then over part of the rows.

    Args:
        runs: the rows of each run.
    """
    return any(gallery_names(rows) != [""] or any(not row.mates for row in rows) for rows in runs)


def head_words(rows: Sequence[ProbeRow]) -> str:
    """Which galleries figures of the whole are over; empty for one gallery of all."""
    names = gallery_names(rows)
    if names in ([], [""]):
        return ""
    if JOINED in names:
        return f"the gallery {JOINED}"
    return f"the gallery {names[0]}" if len(names) == 1 else f"the galleries {', '.join(names)} taken together"
