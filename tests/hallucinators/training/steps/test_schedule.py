"""The learning rate: up, level, down, and a function of the step alone."""

from __future__ import annotations

import pytest
import torch

from hallucinators.training.steps.schedule import rate_at, set_rates


def test_the_rate_rises_over_the_warm_steps_stays_and_falls_by_a_half_cosine() -> None:
    assert [rate_at(step, 1000, warm=4) for step in range(5)] == [0.25, 0.5, 0.75, 1, 1]
    assert rate_at(500, 1000) == 1
    assert rate_at(750, 1000) == pytest.approx(0.01 + 0.99 / 2)
    assert rate_at(1000, 1000) == pytest.approx(0.01)
    shares = [rate_at(step, 1000) for step in range(500, 1001)]
    assert shares == sorted(shares, reverse=True)


def test_shares_lie_between_nothing_and_the_whole_however_short_the_training() -> None:
    for steps in (1, 2, 3, 150, 400, 5000):
        shares = [rate_at(step, steps) for step in range(steps)]
        assert 0 < min(shares) and max(shares) <= 1
    assert rate_at(0, 10, warm=0) == 1
    assert rate_at(10, 10, warm=0, falls_from=1.0) == 1
    assert rate_at(10, 10, warm=0, last=0.25) == 0.25
    assert rate_at(99, 10, warm=0, last=0.25) == 0.25, "beyond the end it stays"


def test_each_group_takes_its_share_of_its_own_greatest_rate() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [p], "lr": 9.0, "greatest": rate} for p, rate in zip(parameters, (1e-3, 1e-4), strict=True)]
    optimiser = torch.optim.Adam(groups)
    set_rates(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [5e-4, 5e-5]
    set_rates(optimiser, 1.0)
    assert [group["lr"] for group in optimiser.param_groups] == [1e-3, 1e-4]
