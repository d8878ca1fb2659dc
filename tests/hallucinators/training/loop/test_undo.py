from __future__ import annotations

import torch
from torch import nn

from hallucinators.training.loop.undo import Undo


def step(net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    net(torch.ones(4, 2)).square().sum().backward()
    optimiser.step()


def net_and_optimiser() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    return net, torch.optim.Adam(net.parameters(), lr=0.1)


def test_an_optimiser_without_a_state_has_none_again() -> None:
    net, optimiser = net_and_optimiser()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    undo = Undo([net], [optimiser])
    undo.store()
    step(net, optimiser)
    assert not torch.equal(net.state_dict()["1.running_mean"], before["1.running_mean"])
    undo.restore()
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())
    assert not optimiser.state and all(parameter.grad is None for parameter in net.parameters())


def test_a_step_after_an_undone_one_is_the_step_that_would_have_been() -> None:
    net, optimiser = net_and_optimiser()
    other, other_optimiser = net_and_optimiser()
    undo = Undo([net], [optimiser])
    for number in range(4):
        undo.store()
        if number % 2:
            for group in optimiser.param_groups:
                for parameter in group["params"]:
                    parameter.grad = torch.full_like(parameter, torch.nan)
            optimiser.step()
            undo.restore()
        step(net, optimiser)
        step(other, other_optimiser)
    for one, same in zip(net.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(one, same)


def test_state_that_an_optimiser_replaces_is_put_back() -> None:
    net, optimiser = net_and_optimiser()
    weight = next(net.parameters())
    optimiser.state[weight] = {"square": torch.ones(2), "count": 3}
    undo = Undo([net], [optimiser])
    undo.store()
    optimiser.state[weight].update(square=torch.zeros(2), count=4)
    undo.restore()
    assert optimiser.state[weight]["square"].tolist() == [1.0, 1.0] and optimiser.state[weight]["count"] == 3
