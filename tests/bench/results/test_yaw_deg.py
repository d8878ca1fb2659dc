"""The yaw of a row, as attributes of any data set hold it."""

from __future__ import annotations

import pytest

from bench.results import ItemRow, rank_of, yaw_deg


@pytest.mark.parametrize(
    ("value", "yaw"), [(-22, -22.0), (0, 0.0), (75.5, 75.5), ("left", None), (float("nan"), None), (None, None)]
)
def test_a_yaw_is_a_finite_number_of_degrees_or_not_known(value: float | str | None, yaw: float | None) -> None:
    attributes = {} if value is None else {"yaw_deg": value}
    assert yaw_deg(ItemRow("f", "p", "ok", "", "", {}, attributes)) == yaw


def test_only_a_rank_k_has_a_k() -> None:
    assert [rank_of(name) for name in ("rank-1", "rank-20", "rank-1 (G1)", "map", "rank-")] == [1, 20, None, None, None]
