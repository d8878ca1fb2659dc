from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from hallucinators.training.steps.gradients import NotFiniteError, clip, descend, refuse_non_finite


def test_gradients_are_clipped_by_their_norm_over_all_parameters() -> None:
    one, other = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    one.grad, other.grad = torch.tensor([3.0]), torch.tensor([4.0])
    assert clip([one, other], 1.0) == 5.0
    assert math.hypot(float(one.grad), float(other.grad)) == pytest.approx(1.0, rel=1e-5)
    assert clip([one, other], 10.0) == pytest.approx(1.0, rel=1e-5)  # within the limit: as it is


def test_a_descent_is_one_step_with_its_own_gradient() -> None:
    weight = nn.Parameter(torch.tensor([3.0]))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    weight.grad = torch.tensor([100.0])  # of something before
    assert descend(weight.square().sum(), optimiser, name="square") == 9.0
    assert float(weight.detach()) == pytest.approx(3.0 - 0.1 * 6.0)


def test_a_loss_or_gradient_that_is_not_finite_is_named_and_no_step_is_taken() -> None:
    weight = nn.Parameter(torch.tensor([0.0]))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    with pytest.raises(NotFiniteError, match="^loss 'log'"):
        descend(weight.log().sum(), optimiser, name="log")
    with pytest.raises(NotFiniteError, match="^the gradient of loss 'root'"):
        descend(weight.sqrt().sum(), optimiser, name="root")
    assert float(weight.detach()) == 0.0


def test_optimisers_are_watched_inside_the_block_only() -> None:
    weight = nn.Parameter(torch.tensor([0.0]))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    weight.grad = torch.tensor([math.inf])
    with refuse_non_finite({"net": optimiser}), pytest.raises(NotFiniteError, match="optimiser 'net'"):
        optimiser.step()
    assert float(weight.detach()) == 0.0
    optimiser.step()
    assert float(weight.detach()) == -math.inf
