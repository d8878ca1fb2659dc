"""The two stages that super-resolvers share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, MissingError, UsageError
from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.stn.aligner import Aligner
from hallucinators.stn.upsampling import Terms, Upsampler, UpsamplingTask, pixel_terms
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch


class Tiny(nn.Module):
    """Enlarges and mixes colours."""

    def __init__(self, preset: str = "compact", lr: int = 16) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1)

    def forward(self, faces: Tensor) -> Tensor:
        mixed: Tensor = self.mix(nn.functional.interpolate(faces, (128, 128), mode="bilinear"))
        return mixed


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4, upright=True).batch(0)


@pytest.fixture(scope="module")
def stn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stn") / "stn.safetensors"
    save_weights(path, Aligner("paper", 16), Facts("stn", 16, "paper"))
    return path


def critic(preset: str = "compact") -> nn.Module:
    return Discriminator(width=0.05)


def method(**changes: Any) -> Upsampler:
    return replace(Upsampler(build=Tiny, steps={"pixels": 10, "adversarial": 5}, critic=critic), **changes)


def options(stn: Path, **changes: Any) -> Options:
    return Options(method="srgan", aligner=stn, **changes)


def leave(folder: Path, stage: str, value: float, *, last: float | None = None) -> None:
    """A finished stage whose weights are all of one value, and other ones at its end."""
    (folder / stage).mkdir()
    for kind, step, number in (("best", 3, value), ("checkpoint", 5, value if last is None else last)):
        state = {name: torch.full_like(tensor, number) for name, tensor in Tiny().state_dict().items()}
        checkpoint.save(checkpoint.path_of(folder / stage, step, kind), {"step": step, "averages": {"network": state}})


def test_pixels_are_compared_with_the_upright_face(batch: Batch) -> None:
    images, terms = pixel_terms(Tiny(), batch.lr, batch)
    assert set(terms) == {"pixel"}
    torch.testing.assert_close(terms["pixel"], (images - batch.upright_faces()).square().mean())


def test_a_batch_without_upright_faces_is_refused(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    bare = PairSource(trained_on, validation_views, batch_size=2).batch(0)
    with pytest.raises(DataError, match="upright=True"):
        pixel_terms(Tiny(), bare.lr, bare)


def test_the_network_sees_aligned_faces_only(batch: Batch) -> None:
    seen: list[Tensor] = []

    def terms(network: nn.Module, aligned: Tensor, inputs: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        seen.append(aligned)
        return pixel_terms(network, aligned, inputs)

    task = UpsamplingTask("x", Tiny(), lambda lr: lr.flip(2), steps=5, terms=terms)
    with torch.autocast("cpu", torch.bfloat16):
        task.update(batch, 0)
    torch.testing.assert_close(seen[0], batch.lr.flip(2))
    assert seen[0].dtype == torch.float32 and not seen[0].requires_grad
    assert [tuple(image.shape) for image in task.preview(batch)] == [(4, 3, s, s) for s in (16, 16, 128, 128)]


def test_steps_by_pixels_raise_the_figure(batch: Batch) -> None:
    torch.manual_seed(0)
    task = UpsamplingTask("x", Tiny(), lambda lr: lr, steps=60, rate=0.03)
    with torch.no_grad():
        before = task.validate(batch)["psnr_db"]
    for step in range(60):
        task.update(batch, step)
    with torch.no_grad():
        assert task.validate(batch)["psnr_db"] > before + 3
    assert set(task.modules()) == {"network"}


def test_the_adversarial_loss_has_its_weight_and_the_discriminator_is_trained(batch: Batch) -> None:
    torch.manual_seed(0)
    discriminator_network = critic()
    before = [p.clone() for p in discriminator_network.parameters()]
    task = UpsamplingTask("x", Tiny(), lambda lr: lr, steps=5, critic=discriminator_network, adversarial=0.25)
    figures = task.update(batch, 0)
    assert figures["total"] == pytest.approx(figures["pixel"] + 0.25 * figures["adversarial"], rel=1e-4)
    assert any(not torch.equal(old, new) for old, new in zip(before, discriminator_network.parameters(), strict=True))
    assert set(task.modules()) == set(task.optimisers()) == {"network", "critic"}


def test_stages_are_those_that_were_requested(stn: Path) -> None:
    result = method().stages(options(stn))
    assert [(s.name, s.steps, s.sides, s.upright) for s in result] == [
        ("pixels", 10, (16,), True),
        ("adversarial", 5, (16,), True),
    ]
    assert [s.name for s in method().stages(options(stn, steps={"adversarial": 0}))] == ["pixels"]


def test_what_cannot_be_is_refused_before_anything_is_built(stn: Path) -> None:
    for changes, says in (
        ({"preset": "huge"}, "paper, compact"),
        ({"lr": 24}, "16 or 32"),
        ({"steps": {"whole": 1}}, "pixels, adversarial"),
    ):
        with pytest.raises(UsageError, match=says):
            method().stages(options(stn, **changes))
    with pytest.raises(MissingError, match="bench train stn"):
        method().stages(options(stn.with_name("none")))

    def none(options: Options, stage: str) -> Terms:
        raise MissingError("no teacher")

    with pytest.raises(MissingError, match="no teacher"):
        method(terms=none).stages(options(stn))


def test_the_second_stage_goes_on_from_the_best_of_the_first(stn: Path, tmp_path: Path) -> None:
    pixels, late = method().stages(options(stn))
    assert set(pixels.build(tmp_path).modules()) == {"network"}
    with pytest.raises(DataError, match="pixels holds no finished stage"):
        late.build(tmp_path)
    leave(tmp_path, "pixels", 0.5, last=0.25)
    instance = late.build(tmp_path).modules()
    assert set(instance) == {"network", "critic"} and all((p == 0.5).all() for p in instance["network"].parameters())


def test_first_weights_are_the_same_in_every_process(stn: Path, tmp_path: Path) -> None:
    stage = method().stages(options(stn))[0]
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        states.append(stage.build(tmp_path).modules()["network"].state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_file_holds_the_best_by_pixels_and_the_last_by_a_critic(stn: Path, tmp_path: Path) -> None:
    from bench.weights import load_state_dict

    def written(**changes: Any) -> float:
        facts = method().export(options(stn, **changes), tmp_path, tmp_path / "w.safetensors", {"people": 3})
        assert facts == Facts("srgan", 16, "compact", {"people": 3})
        return float(load_state_dict(tmp_path / "w.safetensors")["mix.bias"][0])

    with pytest.raises(DataError, match="no finished stage"):
        written()
    leave(tmp_path, "pixels", 0.5, last=0.25)
    assert written() == 0.5
    leave(tmp_path, "adversarial", 2.0, last=3.0)
    assert written() == 3.0
    assert written(steps={"adversarial": 0}) == 0.5
    assert checkpoint.best_averages(tmp_path / "adversarial")["network"]["mix.bias"][0] == 2.0
