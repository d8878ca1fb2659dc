"""Orders are Latin squares, over the questions of a participant and over participants at a question."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.errors import UsageError
from reports.userstudy.orders import LEAST_SCHEDULES, make_schedules, schedule_of


@pytest.mark.parametrize(("questions", "methods"), [(12, 3), (100, 6), (7, 4), (2, 5), (1, 2)])
def test_every_method_stands_at_every_place_equally_often(questions: int, methods: int) -> None:
    schedules = make_schedules(questions, methods, seed=1)
    assert len(schedules) >= LEAST_SCHEDULES and len(schedules) % methods == 0
    least, most = questions // methods, -(-questions // methods)
    for schedule in schedules:
        assert sorted(schedule.questions) == list(range(questions))
        assert all(sorted(line) == list(range(methods)) for line in schedule.places)
        for place in range(methods):
            seen = Counter(line[place] for line in schedule.places)
            assert all(least <= seen[method] <= most for method in range(methods))
    for start in range(0, len(schedules), methods):
        group = schedules[start : start + methods]
        for question in range(questions):
            for place in range(methods):
                assert {schedule.places[question][place] for schedule in group} == set(range(methods))


def test_neighbours_are_not_always_the_same() -> None:
    right_of_zero = Counter(
        line[line.index(0) + 1] for s in make_schedules(60, 4, seed=0) for line in s.places if line[-1] != 0
    )
    assert len(right_of_zero) == 3 and max(right_of_zero.values()) < 0.6 * sum(right_of_zero.values())


def test_the_seed_decides() -> None:
    assert make_schedules(10, 3, seed=4) == make_schedules(10, 3, seed=4)
    assert make_schedules(10, 3, seed=4) != make_schedules(10, 3, seed=5)
    for wrong in ((0, 3, 0), (3, 1, 0), (3, 3, -1)):
        with pytest.raises(UsageError):
            make_schedules(wrong[0], wrong[1], seed=wrong[2])


def test_participants_with_numbers_alternate_and_other_names_are_hashed() -> None:
    assert [schedule_of(str(k), 48) for k in (0, 1, 47, 48, 100)] == [0, 1, 47, 0, 4]
    assert schedule_of("007", 48) == 7
    # FNV-1a of "foobar" is bf9cf968 (Fowler, Noll, Vo: test vectors)
    assert schedule_of("foobar", 1 << 20) == 0xBF9CF968 % (1 << 20)
    for wrong in ("", "a b", "é", "x" * 33, "<b>"):
        with pytest.raises(UsageError):
            schedule_of(wrong, 48)
