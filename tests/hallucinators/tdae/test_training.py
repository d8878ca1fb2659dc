"""TDAE: sizes, shapes, its stages, and the hallucinator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, UsageError
from bench.images import resize_float
from bench.interfaces import HALLUCINATORS
from hallucinators import tdae as registered
from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.registration import TRAINERS
from hallucinators.networks.weight_loading import save_weights
from hallucinators.tdae import training
from hallucinators.tdae.network import DecoderOne, DecoderTwo, TdaeNet, shrink
from hallucinators.tdae.training import DecoderStage, EncoderStage, add_noise, export, facts_of, stages
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.placement import GeometryStage

PARTS = ("decoder1", "encoder", "decoder2")


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4, upright=True).batch(0)


def options(**changes: Any) -> Options:
    return Options(method="tdae", **({"identity": "none"} | changes))


def net(**sizes: Any) -> TdaeNet:
    torch.manual_seed(0)
    return TdaeNet(**sizes)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def critic() -> Discriminator:
    torch.manual_seed(1)
    return Discriminator(width=0.05)


def decoder_stage(number: int, **settings: Any) -> DecoderStage:
    part: DecoderOne | DecoderTwo = net().decoder1 if number == 1 else net().decoder2
    return DecoderStage("d", part, critic(), add_noise, **({"steps": 1000} | settings))


@pytest.mark.parametrize("lr", [16, 32])
def test_the_paper_preset_has_as_many_parameters_as_the_authors(lr: int) -> None:
    paper = net(lr=lr, preset="paper")
    assert [count(getattr(paper, part)) for part in PARTS] == [4_038_291, 646_083, 2_225_155]
    assert count(paper) == registered.PAPER_PARAMETERS


@pytest.mark.parametrize("lr", [16, 32])
def test_the_compact_networks_are_small_and_fit_each_other(lr: int) -> None:
    small = net(lr=lr).eval()
    faces = torch.rand(2, 3, lr, lr)
    large, similarity = small.decoder1.hallucinate(faces)
    assert large.shape == (2, 3, 128, 128) and large.dtype == torch.float32 and similarity.shape == (2, 2, 3)
    assert small.encoder(large.clamp(0, 1)).shape == (2, 3, lr, lr)
    assert small(faces).shape == (2, 3, 128, 128)
    assert 2 * count(small) < 4_000_000, "bytes in half precision"


@pytest.mark.parametrize("lr", [16, 32])
def test_the_networks_of_the_paper_fit_each_other(lr: int) -> None:
    paper = net(lr=lr, preset="paper").eval()
    with torch.no_grad():
        assert paper(torch.rand(1, 3, lr, lr)).shape == (1, 3, 128, 128)


def test_what_goes_from_one_to_the_next_is_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = net().eval()
    inputs: dict[str, Tensor] = {}
    monkeypatch.setattr(whole.decoder1, "forward", lambda lr: torch.full((1, 3, 128, 128), 1.5))
    monkeypatch.setattr(
        whole.encoder, "forward", lambda f: inputs.update(encoder=f) or torch.full((1, 3, 16, 16), -0.5)
    )
    monkeypatch.setattr(whole.decoder2, "forward", lambda f: inputs.update(decoder2=f) or f)
    whole(torch.rand(1, 3, 16, 16))
    assert inputs["encoder"].max() == 1 and inputs["decoder2"].min() == 0


def test_faces_are_shrunk_as_lr_faces_are_made() -> None:
    faces = torch.rand(2, 3, 128, 128)
    expected = resize_float(faces.numpy(), 16, 16).clip(0, 1)
    np.testing.assert_allclose(shrink(faces, 16).numpy(), expected, atol=1e-3)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="^tdae, decoder 1 takes LR faces of 16 or 32 pixels, not 24$"):
        TdaeNet(lr=24)
    with pytest.raises(UsageError, match="^tdae, decoder 1 has no preset 'huge'; known are paper, compact$"):
        TdaeNet(preset="huge")
    for part, side in (("decoder1", 32), ("encoder", 64), ("decoder2", 32)):
        with pytest.raises(DataError, match="built for"):
            getattr(net(), part)(torch.rand(1, 3, side, side))


def test_decoder_1_learns_the_upright_face_and_where_it_is(batch: Batch) -> None:
    task = decoder_stage(1)
    values = [task.update(batch, 400) for _ in range(5)]
    assert values[-1]["pixel"] < values[0]["pixel"] and values[-1]["alignment"] < values[0]["alignment"]
    assert set(values[0]) == {"total", "pixel", "alignment"}
    assert values[0]["total"] == pytest.approx(values[0]["pixel"] + 0.3 * values[0]["alignment"], rel=1e-5)
    task._net.eval()
    with torch.no_grad():
        figures, shown = task.validate(batch), task.preview(batch)
    assert set(figures) == {"psnr_db", "alignment_px"}
    assert batch.upright is not None and torch.equal(shown[-1], batch.upright)


def test_decoder_2_learns_from_what_it_is_fed(batch: Batch) -> None:
    assert batch.upright is not None
    aligned = shrink(batch.upright, 16)
    task = DecoderStage("d", net().decoder2, critic(), lambda lr, noise: aligned, steps=1000)
    values = [task.update(batch, 400) for _ in range(5)]
    assert values[-1]["pixel"] < values[0]["pixel"] and set(values[0]) == {"total", "pixel"}
    task._net.eval()
    with torch.no_grad():
        assert set(task.validate(batch)) == {"psnr_db"} and torch.equal(task.preview(batch)[1], aligned)


@pytest.mark.parametrize("number", [1, 2])
def test_the_adversary_of_a_decoder_joins_at_half_time(batch: Batch, number: int) -> None:
    task = decoder_stage(number)
    assert not {"d_real", "adversarial"} & set(task.update(batch, 499))
    values = task.update(batch, 500)
    assert {"d_real", "d_fake", "adversarial"} <= set(values)
    rest = values["pixel"] + 0.3 * values.get("alignment", 0.0)
    assert values["total"] == pytest.approx(rest + 0.01 / 4 * values["adversarial"], rel=1e-5)


def test_the_encoder_learns_the_upright_lr_face(batch: Batch) -> None:
    assert batch.upright is not None
    faces = (0.8 * batch.upright + 0.1).clamp(0, 1)
    task = EncoderStage(net().encoder, lambda lr, noise: faces, steps=1000, rate=1e-4)
    values = [task.update(batch, 400)["pixel"] for _ in range(5)]
    assert values[-1] < values[0]
    expected = (shrink(faces, 16) - shrink(batch.upright, 16)).square().mean()
    assert values[0] == pytest.approx(expected.item(), rel=1e-3), "it starts from the face shrunk"
    task._net.eval()
    with torch.no_grad():
        figures, shown = task.validate(batch), task.preview(batch)
    assert figures["psnr_db"] > figures["before_psnr_db"] - 3
    assert [tuple(c.shape[2:]) for c in shown] == [(16, 16), (128, 128), (16, 16), (16, 16)]


def test_noise_is_drawn_in_training_and_not_in_validation(batch: Batch) -> None:
    calls: list[float] = []

    def feed(lr: Tensor, noise: float) -> Tensor:
        calls.append(noise)
        return lr

    task = DecoderStage("d", net().decoder2, critic(), feed, steps=1000, noise=0.1)
    task.update(batch, 0)
    with torch.no_grad():
        task.validate(batch)
        task.preview(batch)
    assert calls == [0.1, 0.0, 0.0]
    grey = torch.full((8, 3, 16, 16), 0.5)
    assert add_noise(grey, 0.1).std().item() == pytest.approx(0.1, rel=0.05) and add_noise(grey, 0.0) is grey
    assert add_noise(grey, 9.0).min() == 0 and add_noise(grey, 9.0).max() == 1


def test_batches_without_upright_faces_are_refused(batch: Batch) -> None:
    with pytest.raises(DataError, match="no upright faces"):
        decoder_stage(2).update(replace(batch, upright=None), 0)


@pytest.mark.slow
def test_a_step_of_the_paper_preset_lowers_its_loss(batch: Batch) -> None:
    few = Batch(*(None if part is None else part[:2] for part in batch.parts()))  # type: ignore[arg-type]
    task = DecoderStage("d", net(preset="paper").decoder1, critic(), add_noise, steps=1000, rate=1e-4)
    values = [task.update(few, 400)["pixel"] for _ in range(2)]
    assert values[-1] < values[0]


def finished(folder: Path, part: str, seed: int) -> dict[str, Tensor]:
    """Leave the best weights of a stage there, as the loop does, that half precision holds exactly."""
    torch.manual_seed(seed)
    state = getattr(net(), "decoder1" if part == "geometry" else part).state_dict()
    state = {n: (0.02 * torch.rand_like(t)).half().float() if t.is_floating_point() else t for n, t in state.items()}
    (folder / part).mkdir(parents=True)
    checkpoint.save(checkpoint.path_of(folder / part, 5, "best"), {"step": 5, "averages": {"net": state}})
    return state


def holds(module: nn.Module, state: dict[str, Tensor]) -> bool:
    return all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())


def test_stages_come_one_after_the_other_and_hand_on_their_weights(tmp_path: Path, batch: Batch) -> None:
    result = stages(options())
    assert TRAINERS["tdae"].module == training.__name__
    assert [s.name for s in result] == ["geometry", *PARTS]
    assert all(s.sides == (16,) and s.upright and not s.flow for s in result)
    assert sum(s.steps for s in result[1:]) == 1500
    assert isinstance(result[0].build(tmp_path), GeometryStage)
    for stage, before in zip(result[1:], ("geometry", *PARTS), strict=False):
        with pytest.raises(DataError, match=f"{before} holds no finished stage"):
            stage.build(tmp_path)
        state = finished(tmp_path, before, len(before))
        task = stage.build(tmp_path)
        if stage.name == "decoder1":
            assert holds(task.modules()["net"], state)
    assert isinstance(result[2].build(tmp_path), EncoderStage)


def test_earlier_networks_are_used_as_they_will_be_and_learn_nothing(tmp_path: Path, batch: Batch) -> None:
    whole = net().eval()
    for seed, part in enumerate(PARTS[:2]):
        getattr(whole, part).load_state_dict(finished(tmp_path, part, seed))
    (only,) = stages(options(steps={"geometry": 0, "decoder1": 0, "encoder": 0}))
    task = only.build(tmp_path)
    assert isinstance(task, DecoderStage) and set(task.modules()) == {"net", "critic"}
    fed = task._feed(batch.lr, 0.0)
    assert not fed.requires_grad
    torch.testing.assert_close(fed, whole.aligned_lr(batch.lr), atol=1e-5, rtol=0)
    task.update(batch, 0)
    torch.testing.assert_close(task._feed(batch.lr, 0.0), fed, atol=0, rtol=0)


def test_the_paper_preset_trains_on_noise_and_the_compact_one_does_not(tmp_path: Path) -> None:
    for preset, noise in (("paper", 0.1), ("compact", 0.0)):
        (only,) = stages(options(preset=preset, steps={"geometry": 0, "encoder": 0, "decoder2": 0}))
        task = only.build(tmp_path)
        assert isinstance(task, DecoderStage) and task._noise == noise


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    for wrong, message in (
        ({"preset": "huge"}, "no preset"),
        ({"lr": 24}, "16 or 32"),
        ({"steps": {"coarse": 3}}, "no stage 'coarse'"),
    ):
        with pytest.raises(UsageError, match=message):
            stages(options(**wrong))
    with pytest.raises(DataError, match="decoder1 holds no finished stage"):
        export(options(), tmp_path, tmp_path / "w.safetensors", {})


def test_the_hallucinator_is_the_three_trained_networks(tmp_path: Path) -> None:
    whole = net().eval()
    for seed, part in enumerate(PARTS):
        getattr(whole, part).load_state_dict(finished(tmp_path, part, seed))
    file = tmp_path / "w.safetensors"
    facts = export(options(), tmp_path, file, {"people": 3})
    assert (facts.network, facts.lr, facts.preset, facts.trained) == ("tdae", 16, "compact", {"people": 3})
    hallucinator = HALLUCINATORS["tdae"].create({"weights": str(file)})
    lr = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    with torch.no_grad():
        expected = whole(torch.from_numpy(lr)).clamp(0, 1).numpy()
    result = hallucinator.hallucinate(lr)
    assert result.shape == (2, 3, 128, 128) and hallucinator.output_frame == "utkface200"
    np.testing.assert_allclose(result, expected, atol=1e-3)


def test_weights_of_another_scale_are_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", net(), facts_of(options()))
    with pytest.raises(DataError, match="lr 16; lr 32 was requested"):
        HALLUCINATORS["tdae"].create({"weights": str(tmp_path / "w.safetensors"), "size": "32"})
