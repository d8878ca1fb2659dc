from __future__ import annotations

import pytest
import torch
from torch import nn

from bench.errors import DataError
from hallucinators.training.loop.ema import Averages, decay_at


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))


def test_the_decay_warms_up_to_its_value() -> None:
    assert decay_at(0, 0.999) == 0.1
    assert decay_at(8, 0.999) == 0.5
    assert decay_at(10**6, 0.999) == 0.999


def test_parameters_are_averaged_and_buffers_copied() -> None:
    module = net()
    averages = Averages({"net": module}, 0.999)
    before = module[0].weight.detach().clone()  # type: ignore[index]
    with torch.no_grad():
        module[0].weight += 1  # type: ignore[index]
        module[1].running_mean += 5  # type: ignore[index]
    averages.update(8)  # decay 0.5
    state = averages.state()["net"]
    torch.testing.assert_close(state["0.weight"], before + 0.5)
    assert state["1.running_mean"].tolist() == [5.0, 5.0]
    assert state["1.num_batches_tracked"].dtype == torch.int64
    assert state.keys() == module.state_dict().keys()


def test_swapping_in_is_undone_even_after_an_error() -> None:
    module = net()
    averages = Averages({"net": module}, 0.5)
    with torch.no_grad():
        module[0].weight.zero_()  # type: ignore[index]
    kept = averages.state()["net"]["0.weight"].clone()
    with pytest.raises(RuntimeError, match="stop"), averages.swapped_in():
        assert torch.equal(module[0].weight, kept)  # type: ignore[index]
        raise RuntimeError("stop")
    assert not module[0].weight.any()  # type: ignore[index]
    assert torch.equal(averages.state()["net"]["0.weight"], kept)


def test_a_weight_that_two_layers_share_is_swapped_once() -> None:
    first = nn.Linear(2, 2)
    second = nn.Linear(2, 2)
    second.weight = first.weight
    module = nn.Sequential(first, second)
    averages = Averages({"net": module}, 0.5)
    with torch.no_grad():
        first.weight.fill_(7.0)
    with averages.swapped_in():
        assert not (second.weight == 7.0).any()
    assert (second.weight == 7.0).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state["net"].pop("0.bias"), "net.0.bias is not in the checkpoint"),
        (lambda state: state["net"].update(extra=torch.ones(1)), "net.extra is in the checkpoint only"),
        (lambda state: state["net"].update({"0.bias": torch.ones(3)}), r"net.0.bias is \(2,\) here and \(3,\)"),
        (lambda state: state.update(other={}), "other is in the checkpoint only"),
    ],
)
def test_averages_of_other_keys_are_refused(change, message: str) -> None:  # type: ignore[no-untyped-def]
    averages = Averages({"net": net()}, 0.5)
    state = averages.state()
    change(state)
    with pytest.raises(DataError, match=message):
        averages.load(state)
