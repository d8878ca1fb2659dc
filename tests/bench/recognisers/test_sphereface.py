from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.align.templates import ARCFACE_112, SPHEREFACE_112X96
from bench.errors import ContractError, DataError, MissingError, UsageError
from bench.interfaces import RECOGNISERS, Recogniser

torch = pytest.importorskip("torch")

from bench.recognisers.networks.sphereface_net import SphereFace20  # noqa: E402  # needs torch

LAYERS = [f"{a}_{b}" for a, count in ((1, 3), (2, 5), (3, 9), (4, 3)) for b in range(1, count + 1)]


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return SphereFace20().state_dict()


@pytest.fixture(scope="module")
def weights(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "sphere20a.pth"
    torch.save(state | {"fc6.weight": torch.zeros(512, 10)}, path)  # with its classifier, as published
    return path


@pytest.fixture(scope="module")
def recogniser(weights: Path) -> Recogniser:
    return RECOGNISERS["sphereface"].create({"weights": weights, "threads": 1})


def chips(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 112, 96, 3), dtype=np.uint8)


def test_the_feature_part_has_22_670_656_parameters() -> None:
    assert sum(parameter.numel() for parameter in SphereFace20().parameters()) == 22_670_656


def test_the_tensors_have_the_names_of_the_public_state_dict(state: dict[str, torch.Tensor]) -> None:
    names = {f"conv{layer}.{kind}" for layer in LAYERS for kind in ("weight", "bias")}
    names |= {f"relu{layer}.weight" for layer in LAYERS} | {"fc5.weight", "fc5.bias"}
    assert set(state) == names
    assert state["fc5.weight"].shape == (512, 512 * 7 * 6)
    assert state["conv4_1.weight"].shape == (512, 256, 3, 3)


def test_it_computes_the_residual_chain_written_out(state: dict[str, torch.Tensor], recogniser: Recogniser) -> None:
    from torch.nn import functional

    images = chips(1)
    x = (torch.from_numpy(images[..., ::-1].copy()).permute(0, 3, 1, 2).float() - 127.5) / 128  # BGR

    def layer(y: torch.Tensor, name: str, stride: int = 1) -> torch.Tensor:
        z = functional.conv2d(y, state[f"conv{name}.weight"], state[f"conv{name}.bias"], stride, 1)
        return functional.prelu(z, state[f"relu{name}.weight"])

    for name in LAYERS:
        stage, index = map(int, name.split("_"))
        if index == 1:
            x = layer(x, name, 2)
        elif index % 2 == 0:
            x = x + layer(layer(x, name), f"{stage}_{index + 1}")
    expected = functional.linear(x.flatten(1), state["fc5.weight"], state["fc5.bias"])
    np.testing.assert_allclose(recogniser.embed(images), expected.numpy(), atol=1e-5)


def test_a_row_depends_on_its_own_chip_alone(recogniser: Recogniser) -> None:
    together = recogniser.embed(chips(3))
    alone = np.concatenate([recogniser.embed(chips(3)[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together.shape == (3, 512)


def test_safetensors_give_the_same(state: dict[str, torch.Tensor], recogniser: Recogniser, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(state, tmp_path / "sphere.safetensors")
    other = RECOGNISERS["sphereface"].create({"weights": tmp_path / "sphere.safetensors"})
    assert np.array_equal(other.embed(chips(1)), recogniser.embed(chips(1)))


def test_wrong_shapes_and_missing_layers_are_listed(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    wrong = {name: tensor for name, tensor in state.items() if name != "conv1_1.bias"}
    wrong["fc5.weight"] = torch.zeros(512, 10)
    torch.save(wrong, tmp_path / "wrong.pth")
    broken = RECOGNISERS["sphereface"].create({"weights": tmp_path / "wrong.pth"})
    with pytest.raises(DataError, match=r"conv1_1.bias is missing; fc5.weight is \(512, 10\), not \(512, 21504\)"):
        broken.embed(chips(1))


def test_it_cannot_run_without_weights_and_says_where_they_are(tmp_path: Path) -> None:
    entry = RECOGNISERS["sphereface"]
    assert "sphere20a" in (entry.missing() or "")
    with pytest.raises(UsageError, match="weights is required"):
        entry.create()
    with pytest.raises(MissingError, match="absent.pth"):
        entry.create({"weights": tmp_path / "absent.pth"})


def test_the_template_is_arcfaces_eight_columns_to_the_left() -> None:
    assert (SPHEREFACE_112X96.height, SPHEREFACE_112X96.width) == (112, 96)
    assert SPHEREFACE_112X96.points[0] == pytest.approx((30.2946, 51.6963))
    assert SPHEREFACE_112X96.points[4] == pytest.approx((62.7299, 92.2041))
    assert len(ARCFACE_112.points) == 5


def test_chips_must_be_112_high_and_96_wide(recogniser: Recogniser) -> None:
    with pytest.raises(ContractError, match=r"uint8 \(1, 96, 112, 3\); it takes uint8 \(N, 112, 96, 3\)"):
        recogniser.embed(np.zeros((1, 96, 112, 3), np.uint8))


def test_an_unknown_device_is_a_usage_error(weights: Path) -> None:
    with pytest.raises(UsageError, match="no device 'abacus' here"):
        RECOGNISERS["sphereface"].create({"weights": weights, "device": "abacus"}).embed(chips(1))
