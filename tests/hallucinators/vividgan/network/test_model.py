from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.errors import DataError, UsageError
from hallucinators.vividgan.departures import PAPER_PARAMETERS
from hallucinators.vividgan.network.coarse import CoarseWidths
from hallucinators.vividgan.network.components import PATCH_SIZES, crop, template_centres
from hallucinators.vividgan.network.fine import FineWidths
from hallucinators.vividgan.network.model import VividGAN, Widths

TINY = Widths(
    CoarseWidths(encoder=4, code=8, at_16=8, at_32=8, at_64=4, at_128=4),
    (4, 4, 8, 8),
    FineWidths(at_128=4, at_64=4, at_32=8, hourglass=8),
    hourglasses=2,
)


def awake(**settings: object) -> VividGAN:
    """A tiny network in which nothing is zero, as after some training."""
    torch.manual_seed(0)
    network = VividGAN(lr=16, widths=TINY, **settings)  # type: ignore[arg-type]
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.02 if "similarity" in name else 0.1)
    return network.eval()


def smooth(count: int) -> torch.Tensor:
    """Pictures of 16 x 16 without noise, in which a sampling place a millionth off makes no difference."""
    return torch.nn.functional.interpolate(torch.rand(count, 3, 4, 4), (16, 16), mode="bicubic").clamp(0, 1)


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, hallucinators.vividgan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_paper_preset_has_the_papers_size() -> None:
    with torch.device("meta"):
        network = VividGAN(lr=16, preset="paper")
    assert parameters(network.coarse) == pytest.approx(103_473 * 1024 / 4, rel=0.03)
    assert parameters(network) == pytest.approx(242_089 * 1024 / 4, rel=0.03)
    assert PAPER_PARAMETERS.startswith(f"{parameters(network):,} (")
    assert f"coarse network {parameters(network.coarse):,} (" in PAPER_PARAMETERS


def test_the_compact_preset_is_small_and_cheap() -> None:
    network = VividGAN(lr=16, preset="compact")
    assert parameters(network.coarse) == pytest.approx(1.8e6, rel=0.1)
    assert parameters(network) == pytest.approx(3.8e6, rel=0.1)
    with FlopCounterMode(display=False) as coarse, torch.no_grad():
        network.coarse(torch.rand(1, 3, 16, 16))
    with FlopCounterMode(display=False) as whole, torch.no_grad():
        network(torch.rand(1, 3, 16, 16))
    assert coarse.get_total_flops() < 2 * 0.36e9
    assert whole.get_total_flops() < 2 * 1.35e9


@pytest.mark.parametrize("lr", [16, 32])
def test_one_pass_gives_everything_and_starts_grey(lr: int) -> None:
    instance = VividGAN(lr=lr, widths=TINY, carry=False)(torch.rand(2, 3, lr, lr))
    assert torch.equal(instance.fine, torch.full((2, 3, 128, 128), 0.5))
    torch.testing.assert_close(instance.prior, 0.5 * instance.prior_mask.expand(2, 3, 128, 128))
    assert {name: tuple(p.shape) for name, p in instance.components.items()} == {
        name: (2, 3, high, wide) for name, (wide, high) in PATCH_SIZES.items()
    }
    assert len(instance.heatmaps) == 2


def test_gradients_flow_from_the_fine_face_through_the_patches_to_the_coarse_network() -> None:
    network = awake()
    instance = network(torch.rand(1, 3, 16, 16))
    by_prior = torch.autograd.grad(instance.fine.sum(), instance.prior, retain_graph=True)[0]
    assert by_prior.abs().sum() > 0
    first = network.coarse.encoder.enter.weight
    assert torch.autograd.grad(instance.prior.square().sum(), first, retain_graph=True)[0].abs().sum() > 0
    assert torch.autograd.grad(instance.components["nose"].sum(), first)[0].abs().sum() > 0


def test_without_touching_up_the_prior_is_empty() -> None:
    network = awake(touchup=False)
    instance = network(torch.rand(2, 3, 16, 16))
    assert network.touchup is None and instance.components == {}
    assert instance.prior.abs().sum() == 0 and instance.prior_mask.sum() == 0


def test_true_components_take_the_place_of_touched_up_ones() -> None:
    truth = torch.rand(1, 3, 128, 128)
    centres = template_centres()[None] + torch.tensor([2.3, -1.4])
    inputs = crop(truth, centres.round())
    for network in (awake(), awake(touchup=False)):
        instance = network(torch.rand(1, 3, 16, 16), components=inputs, centres=centres)
        torch.testing.assert_close(instance.prior, truth * instance.prior_mask, atol=1e-4, rtol=0)
        assert instance.prior_mask.sum() > 0
    with pytest.raises(DataError, match="component mouth"):
        network(torch.rand(1, 3, 16, 16), components={**inputs, "mouth": inputs["nose"]})


def test_without_the_component_aware_module_it_runs() -> None:
    instance = awake(component_aware=False)(torch.rand(1, 3, 16, 16))
    assert instance.heatmaps == [] and instance.fine.shape == (1, 3, 128, 128)


def test_patch_sizes_can_be_chosen() -> None:
    sizes = {**PATCH_SIZES, "mouth": (64, 40)}
    assert awake(patch_sizes=sizes)(torch.rand(1, 3, 16, 16)).components["mouth"].shape == (1, 3, 40, 64)


@torch.no_grad()
def test_a_face_does_not_depend_on_its_neighbours() -> None:
    network, faces = awake(), smooth(3)
    centres = torch.stack([template_centres(), template_centres() - 2, template_centres() + 2])
    together, alone = network(faces, centres=centres), network(faces[1:2], centres=centres[1:2])
    torch.testing.assert_close(together.fine[1:2], alone.fine, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together.heatmaps[-1][1:2], alone.heatmaps[-1], atol=1e-4, rtol=1e-3)
    assert (together.fine[0] - together.fine[1]).abs().max() > 1e-3


def test_it_trains_in_bfloat16_channels_last() -> None:
    network = awake().train().to(memory_format=torch.channels_last)
    faces = torch.rand(2, 3, 16, 16).to(memory_format=torch.channels_last)
    exact = network(faces)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        instance = network(faces)
    assert instance.fine.dtype == instance.coarse.dtype == instance.prior.dtype == torch.float32
    spread = exact.fine.std()
    assert (instance.fine - exact.fine).abs().mean() < 0.1 * spread
    instance.fine.square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(UsageError, match="preset"):
        VividGAN(lr=16, preset="large")  # type: ignore[arg-type]


class Faces(torch.nn.Module):
    """The fine faces alone, for export."""

    def __init__(self, network: VividGAN) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
        fine: torch.Tensor = self.network(lr, centres=centres).fine
        return fine


@pytest.mark.filterwarnings("ignore")
@torch.no_grad()
def test_it_exports_to_onnx_for_any_number_of_faces(tmp_path: Path) -> None:
    network = awake()
    lr, centres = smooth(3), template_centres().expand(3, -1, -1) + 3 * torch.rand(3, 4, 2)
    path = tmp_path / "faces.onnx"
    names = ["lr", "centres", "fine"]
    axes = {name: {0: "faces"} for name in names}
    torch.onnx.export(
        Faces(network),
        (lr[:1], centres[:1].contiguous()),
        str(path),
        dynamo=False,
        opset_version=20,
        input_names=names[:2],
        output_names=names[2:],
        dynamic_axes=axes,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (fine,) = session.run(None, {"lr": lr.numpy(), "centres": centres.numpy()})
    torch.testing.assert_close(torch.from_numpy(fine), network(lr, centres=centres).fine, atol=1e-4, rtol=1e-4)
