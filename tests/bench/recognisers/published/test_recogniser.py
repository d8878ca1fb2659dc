"""Recognisers from published state dicts: names, scaling, order of channels, depth, refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError, UsageError
from bench.interfaces import RECOGNISERS

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402  # needs torch
from torch.nn import functional  # noqa: E402

from bench.recognisers.published.adaface_ir import AdaFaceIR  # noqa: E402
from bench.recognisers.published.iresnet import IResNet  # noqa: E402

State = dict[str, torch.Tensor]
CHIPS = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)


def drawn_state(network: nn.Module) -> State:
    """A state dict whose statistics are not those of a new network, so that every one of them has an effect."""
    draw = torch.Generator().manual_seed(0)
    for name, tensor in network.state_dict().items():
        if name.endswith("running_var") or (tensor.ndim == 1 and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5, generator=draw)
        elif tensor.ndim == 1:
            tensor.uniform_(-0.2, 0.2, generator=draw)
    return network.state_dict()


@pytest.fixture(scope="module")
def iresnet18() -> State:
    return drawn_state(IResNet((2, 2, 2, 2), eps=1e-5))


@pytest.fixture(scope="module")
def ir18() -> State:
    return drawn_state(AdaFaceIR(8))


def normalised(state: State, name: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
    mean, variance = state[f"{name}.running_mean"], state[f"{name}.running_var"]
    return functional.batch_norm(x, mean, variance, weight, bias, False, 0, eps)


def iresnet_written_out(state: State, x: torch.Tensor, eps: float) -> torch.Tensor:
    x = functional.conv2d(x, state["conv1.weight"], padding=1)
    x = functional.prelu(normalised(state, "bn1", x, eps), state["prelu.weight"])
    for unit in [f"layer{stage}.{i}" for stage in (1, 2, 3, 4) for i in (0, 1)]:
        stride = 2 if unit.endswith(".0") else 1
        y = functional.conv2d(normalised(state, f"{unit}.bn1", x, eps), state[f"{unit}.conv1.weight"], padding=1)
        y = functional.prelu(normalised(state, f"{unit}.bn2", y, eps), state[f"{unit}.prelu.weight"])
        y = functional.conv2d(y, state[f"{unit}.conv2.weight"], stride=stride, padding=1)
        if stride == 2:
            x = functional.conv2d(x, state[f"{unit}.downsample.0.weight"], stride=2)
            x = normalised(state, f"{unit}.downsample.1", x, eps)
        x = x + normalised(state, f"{unit}.bn3", y, eps)
    x = functional.linear(normalised(state, "bn2", x, eps).flatten(1), state["fc.weight"], state["fc.bias"])
    return normalised(state, "features", x, eps)


def ir_written_out(state: State, x: torch.Tensor) -> torch.Tensor:
    eps = 1e-5
    x = functional.conv2d(x, state["input_layer.0.weight"], padding=1)
    x = functional.prelu(normalised(state, "input_layer.1", x, eps), state["input_layer.2.weight"])
    for index in range(8):
        unit, stride = f"body.{index}", 2 if index % 2 == 0 else 1
        y = normalised(state, f"{unit}.res_layer.0", x, eps)
        y = functional.conv2d(y, state[f"{unit}.res_layer.1.weight"], padding=1)
        y = functional.prelu(normalised(state, f"{unit}.res_layer.2", y, eps), state[f"{unit}.res_layer.3.weight"])
        y = functional.conv2d(y, state[f"{unit}.res_layer.4.weight"], stride=stride, padding=1)
        if index in (2, 4, 6):  # the channels change
            x = functional.conv2d(x, state[f"{unit}.shortcut_layer.0.weight"], stride=2)
            x = normalised(state, f"{unit}.shortcut_layer.1", x, eps)
        else:
            x = x[..., ::stride, ::stride]
        x = x + normalised(state, f"{unit}.res_layer.5", y, eps)
    x = normalised(state, "output_layer.0", x, eps).flatten(1)
    x = functional.linear(x, state["output_layer.3.weight"], state["output_layer.3.bias"])
    return normalised(state, "output_layer.4", x, eps)


def planes(chips: np.ndarray, scaled: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    return scaled(torch.from_numpy(chips.copy()).permute(0, 3, 1, 2).float())


def usual(x: torch.Tensor) -> torch.Tensor:
    return (x / 255 - 0.5) / 0.5


def embedded(name: str, state: object, path: Path) -> np.ndarray:
    torch.save(state, path)
    return RECOGNISERS[name].create({"weights": path, "threads": 1}).embed(CHIPS)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (lambda: IResNet((2, 2, 2, 2), eps=1e-5), 24_025_600),
        (lambda: IResNet((3, 13, 30, 3), eps=1e-5), 65_156_160),
        (lambda: AdaFaceIR(49), 65_156_160 - 1024 - 64 * 64 - 128),  # no affine output, no convolution beside unit 0
    ],
    ids=["iresnet18", "iresnet100", "ir101"],
)
def test_the_networks_have_these_numbers_of_parameters(network: Callable[[], nn.Module], parameters: int) -> None:
    with torch.device("meta"):
        assert sum(parameter.numel() for parameter in network().parameters()) == parameters


def test_arcface_is_the_iresnet_on_rgb(iresnet18: State, tmp_path: Path) -> None:
    expected = iresnet_written_out(iresnet18, planes(CHIPS, usual), 1e-5)
    np.testing.assert_allclose(
        embedded("arcface", iresnet18, tmp_path / "a.pth"), expected.numpy(), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("prefix", ["features.module.", "module.features."])
def test_magface_is_the_iresnet_on_bgr_without_an_offset(prefix: str, iresnet18: State, tmp_path: Path) -> None:
    checkpoint = {"epoch": 25, "arch": "iresnet18", "state_dict": {prefix + k: v for k, v in iresnet18.items()}}
    checkpoint["state_dict"] |= {prefix.replace("features.", "") + "fc.weight": torch.zeros(512, 10)}  # its classifier
    expected = iresnet_written_out(iresnet18, planes(CHIPS[..., ::-1], lambda x: x / 255), 2e-5)
    computed = embedded("magface", checkpoint, tmp_path / "m.pth")
    np.testing.assert_allclose(computed, expected.numpy(), rtol=1e-3, atol=1e-3)


def test_adaface_is_its_residual_network_on_bgr_before_the_division_by_the_length(ir18: State, tmp_path: Path) -> None:
    checkpoint = {"state_dict": {f"model.{k}": v for k, v in ir18.items()} | {"head.kernel": torch.zeros(512, 10)}}
    expected = ir_written_out(ir18, planes(CHIPS[..., ::-1], usual))
    computed = embedded("adaface", checkpoint, tmp_path / "a.ckpt")
    np.testing.assert_allclose(computed, expected.numpy(), rtol=1e-3, atol=1e-3)
    assert not np.allclose(np.linalg.norm(computed, axis=1), 1)


def test_a_file_of_another_network_is_refused_by_name(ir18: State, iresnet18: State, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"other.pth are not those of an iresnet: tensors of layer1 to layer4"):
        embedded("arcface", ir18, tmp_path / "other.pth")
    with pytest.raises(DataError, match=r"other.ckpt are not those of AdaFace's IR-18.*they have 0 residual units"):
        embedded("adaface", iresnet18, tmp_path / "other.ckpt")
    short = {name: tensor for name, tensor in iresnet18.items() if name != "fc.bias"}
    with pytest.raises(DataError, match="fc.bias is missing"):
        embedded("arcface", short, tmp_path / "short.pth")


@pytest.mark.parametrize("name", ["arcface", "magface", "adaface"])
def test_without_weights_it_says_where_they_are_published(name: str, tmp_path: Path) -> None:
    assert "weights=PATH" in (RECOGNISERS[name].missing() or "")
    with pytest.raises(UsageError, match="weights is required"):
        RECOGNISERS[name].create()
    with pytest.raises(MissingError, match=r"absent.pth.* as published by the project"):
        RECOGNISERS[name].create({"weights": tmp_path / "absent.pth"})
