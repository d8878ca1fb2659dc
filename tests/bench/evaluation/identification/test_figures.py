"""Figures of a search over parts of its probes."""

from __future__ import annotations

import pytest

from bench.evaluation.identification.figures import figures_of, row_values
from bench.results import ProbeRow
from bench.types import Status


def probe(key: str, rank: int | None, **attributes: str | float) -> ProbeRow:
    status: Status = "ok" if rank else "failed"
    ranks = (rank,) if rank else ()
    return ProbeRow(key, key, status, "", "", 1, rank, rank, ranks, 0.5, "m", 0.1, "n", attributes)


ROWS = [
    probe("a", 1, camera="door", yaw_deg=-30.0),
    probe("b", 2, camera="door", yaw_deg=30.0),
    probe("c", 1, camera="hall (north)", yaw_deg=0.0),
    probe("d", None, camera="10"),
    probe("e", 3, yaw_deg=90.0),
]


def test_figures_are_given_for_each_value_of_a_group_and_each_absolute_yaw() -> None:
    groups = ("yaw_deg", "camera")
    figures = figures_of(ROWS, ranks=(1, 2), mean_average_precision=False, seed=0, groups=groups)
    values = {name: (figure.value, figure.n) for name, figure in figures.items() if name.startswith("rank-1")}
    assert values == {
        "rank-1": (0.4, 5),
        "rank-1 (yaw 0)": (1.0, 1),
        "rank-1 (yaw 30)": (0.5, 2),
        "rank-1 (yaw 90)": (0.0, 1),
        "rank-1 (camera 10)": (0.0, 1),
        "rank-1 (camera door)": (0.5, 2),
        "rank-1 (camera hall (north))": (1.0, 1),
    }
    assert list(values) == [name for name in figures if name.startswith("rank-1")]
    assert figures["rank-2 (camera door)"].value == 1.0
    assert figures["rank-1 (camera 10)"].without_failures is None
    plain = figures_of(ROWS, ranks=(1,), mean_average_precision=False, seed=0)
    assert list(plain) == ["rank-1"] and plain["rank-1"] == figures["rank-1"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("rank-1", "abcde"),
        ("rank-1 (yaw 30)", "ab"),
        ("rank-2 (camera hall (north))", "c"),
        ("rank-1 (camera roof)", ""),
        ("tpir@fpir=0.1 (camera door)", ""),
    ],
)
def test_the_values_behind_a_figure_are_those_of_its_part(name: str, keys: str) -> None:
    assert [value.key for value in row_values(ROWS, name)] == list(keys)
