"""Rows of searches made without images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from bench.results import ProbeRow


def _row(key: str, identity: str, ranks: Sequence[int], *, gallery: str = "", mates: int | None = None) -> ProbeRow:
    """A probe whose mates are at some ranks; without ranks it failed."""
    first = ranks[0] if ranks else None
    return ProbeRow(
        key=key,
        identity=identity,
        status="ok" if ranks else "failed",
        stage="" if ranks else "embed",
        reason="" if ranks else "embedding not finite",
        mates=len(ranks) if mates is None else mates,
        rank=first,
        rank_optimistic=first,
        mated_ranks=tuple(ranks),
        best_mated_score=0.5 if ranks else None,
        best_mated_key="",
        best_nonmated_score=0.4,
        best_nonmated_key="",
        gallery=gallery,
    )


@pytest.fixture
def row() -> Callable[..., ProbeRow]:
    """Makes a row: key, identity, ranks of its mates."""
    return _row
