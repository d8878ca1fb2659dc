"""TANN: size, shapes, losses, training, and the hallucinator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, MissingError, UsageError
from bench.interfaces import HALLUCINATORS
from hallucinators import tann as registered
from hallucinators.networks.discriminator import Discriminator
from hallucinators.networks.perceptual import perceptual
from hallucinators.networks.registration import TRAINERS
from hallucinators.networks.weight_loading import save_weights
from hallucinators.tann import training
from hallucinators.tann.network import TannNet
from hallucinators.tann.training import ImageStage, export, facts_of, stages, triplet
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.placement import GeometryStage


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4, flow=True).batch(0)


def options(**changes: Any) -> Options:
    return Options(method="tann", **({"identity": "none"} | changes))


def net(**sizes: Any) -> TannNet:
    torch.manual_seed(0)
    return TannNet(**sizes)


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def stage(**settings: Any) -> ImageStage:
    torch.manual_seed(1)
    return ImageStage(net(), Discriminator(width=0.05), **({"steps": 1000} | settings))


def test_the_paper_preset_has_as_many_parameters_as_the_authors() -> None:
    assert count(TannNet(preset="paper")) == registered.PAPER_PARAMETERS == 13_088_611


def test_the_paper_preset_for_32_pixels_has_one_level_more() -> None:
    more = count(TannNet(preset="paper", lr=32)) - 13_088_611
    level = (3 * 3 * 3 * 32 + 32 + 2 * 32) + (5 * 5 * 32 * 20 + 20 + 5 * 5 * 20 * 20 + 20 + 80 * 20 + 20 + 84)
    inner = 3 * 3 * (32 - 3) * 32  # the first convolution at 16 pixels sees 32 channels now
    assert more == level + inner + 5 * 5 * 32 * 128


@pytest.mark.parametrize("lr", [16, 32])
def test_the_compact_network_is_small_and_gives_faces(lr: int) -> None:
    small = net(lr=lr).eval()
    result = small.hallucinate(torch.rand(2, 3, lr, lr))
    assert result.image.shape == (2, 3, 128, 128) and result.image.dtype == torch.float32
    assert result.embedding.shape == (2, 640) and result.similarity.shape == (2, 2, 3)
    assert 2 * count(small) < 4_000_000, "bytes in half precision"


def test_it_starts_from_the_enlarged_face() -> None:
    lr = torch.rand(2, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    expected = nn.functional.interpolate(lr, (128, 128), mode="bicubic")
    torch.testing.assert_close(net().eval()(lr), expected, atol=1e-3, rtol=0)


def test_the_embedding_has_the_order_the_decoder_takes_it_for() -> None:
    first = net().eval()
    lr = torch.rand(2, 3, 16, 16)
    plain = first.embedding(lr)
    again = first.to(memory_format=torch.channels_last).embedding(lr.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(again, plain, atol=1e-4, rtol=1e-4)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="^tann takes LR faces of 16 or 32 pixels, not 24$"):
        TannNet(lr=24)
    with pytest.raises(UsageError, match="^tann has no preset 'huge'; known are paper, compact$"):
        TannNet(preset="huge")
    with pytest.raises(DataError, match=r"built for \(N, 3, 16, 16\)"):
        net()(torch.rand(1, 3, 32, 32))


def test_triplets_pull_anchors_that_are_nearer_to_another() -> None:
    anchor = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]], requires_grad=True)
    positive = torch.tensor([[2.0, 0.0], [1.0, 0.0], [2.0, 0.0]], requires_grad=True)
    negative = torch.tensor([[1.0, 0.0], [2.0, 0.0], [1.0, 0.0]], requires_grad=True)
    loss = triplet(anchor, positive, negative, torch.tensor([True, True, False]))
    assert loss.item() == pytest.approx((2.0**2 / 2) / 3)
    torch.autograd.backward(loss)
    assert anchor.grad is not None and positive.grad is None and negative.grad is None
    torch.testing.assert_close(anchor.grad, torch.tensor([[2 / 2 / 3 * -2.0, 0.0], [0.0, 0.0], [0.0, 0.0]]))


def test_a_step_lowers_the_loss(batch: Batch) -> None:
    task = stage()
    figures = [task.update(batch, 400) for _ in range(5)]
    assert figures[-1]["pixel"] < figures[0]["pixel"] and figures[-1]["alignment"] < figures[0]["alignment"]
    assert set(figures[0]) == {"total", "pixel", "alignment", "triplet"}
    weighted = figures[0]["pixel"] + 0.3 * figures[0]["alignment"] + 1e-4 / 4 * figures[0]["triplet"]
    assert figures[0]["total"] == pytest.approx(weighted, rel=1e-5)


def test_the_adversary_joins_at_half_time(batch: Batch) -> None:
    task = stage()
    assert not {"d_real", "adversarial"} & set(task.update(batch, 499))
    figures = task.update(batch, 500)
    assert {"d_real", "d_fake", "adversarial"} <= set(figures)
    rest = figures["pixel"] + 0.3 * figures["alignment"] + 1e-4 / 4 * figures["triplet"]
    assert figures["total"] == pytest.approx(rest + 0.01 / 4 * figures["adversarial"], rel=1e-5)


def test_a_perceptual_loss_counts_where_it_is_given(batch: Batch) -> None:
    task = stage(perceptual=lambda images, truth: 40 * (images - truth).abs().mean())
    figures = task.update(batch, 400)
    rest = figures["pixel"] + 0.3 * figures["alignment"] + 1e-4 / 4 * figures["triplet"]
    assert figures["total"] == pytest.approx(rest + 0.01 / 4 * figures["perceptual"], rel=1e-5)


def test_frontal_faces_of_triplets_stand_in_no_statistics(batch: Batch) -> None:
    task = stage()
    before = {n: b.clone() for n, b in task._net.named_buffers()}
    task._triplets(task._net.eval().hallucinate(batch.lr), batch)
    assert all(torch.equal(b, before[n]) for n, b in task._net.named_buffers())
    assert not any(part.training for part in task._net.modules())
    alone = replace(batch, **{n: getattr(batch, n)[:1] for n in ("lr", "hr", "face")})
    assert task._triplets(task._net.eval().hallucinate(alone.lr), alone) is None


def test_triplets_leave_the_network_in_training(batch: Batch) -> None:
    task = stage()
    task.update(batch, 0)
    assert all(part.training for part in task._net.modules())


def test_figures_and_columns(batch: Batch) -> None:
    task = stage()
    task._net.eval()
    with torch.no_grad():
        assert set(task.validate(batch)) == {"psnr_db", "alignment_px"}
        assert set(task.validate(replace(batch, flow=None))) == {"psnr_db"}
        shown = task.preview(batch)
    assert len(shown) == 3 and all(0 <= c.min() and c.max() <= 1 for c in shown)


@pytest.mark.slow
def test_a_step_of_the_paper_preset_lowers_its_loss(batch: Batch) -> None:
    few = Batch(*(None if part is None else part[:2] for part in batch.parts()))  # type: ignore[arg-type]
    task = ImageStage(net(preset="paper"), Discriminator(width=0.05), steps=1000, rate=1e-4)
    figures = [task.update(few, 400)["pixel"] for _ in range(2)]
    assert figures[-1] < figures[0]


def finished(folder: Path, seed: int) -> dict[str, Tensor]:
    """Leave the best weights of a stage there, as the loop does, that half precision holds exactly."""
    torch.manual_seed(seed)
    state = net(lr=16).state_dict()
    state = {n: (0.05 * torch.randn_like(t)).half().float() if t.is_floating_point() else t for n, t in state.items()}
    folder.mkdir(parents=True)
    checkpoint.save(checkpoint.path_of(folder, 5, "best"), {"step": 5, "averages": {"net": state}})
    return state


def test_stages_come_one_after_the_other_and_hand_on_their_weights(tmp_path: Path) -> None:
    geometry, image = stages(options())
    assert TRAINERS["tann"].module == training.__name__
    assert [(s.name, s.sides, s.flow, s.upright) for s in (geometry, image)] == [
        ("geometry", (16,), True, False),
        ("image", (16,), True, False),
    ]
    assert image.steps == 1500
    assert isinstance(geometry.build(tmp_path), GeometryStage)
    with pytest.raises(DataError, match="geometry holds no finished stage"):
        image.build(tmp_path)
    state = finished(tmp_path / "geometry", 3)
    task = image.build(tmp_path)
    assert isinstance(task, ImageStage)
    assert all(torch.equal(t, state[n]) for n, t in task.modules()["net"].state_dict().items())
    (only,) = stages(options(steps={"geometry": 0, "image": 7}, lr=32))
    assert (only.name, only.steps, only.sides) == ("image", 7, (32,))
    assert only.build(tmp_path / "nothing").name == "tann"


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    for wrong, message in (
        ({"preset": "huge"}, "no preset"),
        ({"lr": 24}, "16 or 32"),
        ({"steps": {"coarse": 3}}, "no stage 'coarse'"),
    ):
        with pytest.raises(UsageError, match=message):
            stages(options(**wrong))
    with pytest.raises(MissingError, match="VGG-19"):
        stages(options(identity=str(tmp_path / "vgg.pth")))
    with pytest.raises(DataError, match="image holds no finished stage"):
        export(options(), tmp_path, tmp_path / "w.safetensors", {})


def test_teachers_of_other_methods_are_no_perceptual_loss() -> None:
    assert perceptual("dlib") is None and perceptual("none") is None


def test_the_hallucinator_is_the_trained_network(tmp_path: Path) -> None:
    torch.manual_seed(5)
    trained = net().train()
    trained(torch.rand(8, 3, 16, 16))  # statistics of their own
    nn.init.normal_(trained.decoder.to_rgb.weight, std=0.05)
    folder = tmp_path / "image"
    folder.mkdir()
    checkpoint.save(checkpoint.path_of(folder, 5, "best"), {"step": 5, "averages": {"net": trained.state_dict()}})
    file = tmp_path / "w.safetensors"
    facts = export(options(), tmp_path, file, {"people": 3})
    assert (facts.network, facts.lr, facts.preset, facts.trained) == ("tann", 16, "compact", {"people": 3})
    hallucinator = HALLUCINATORS["tann"].create({"weights": str(file)})
    assert hallucinator.output_frame == "utkface200"
    lr = np.random.default_rng(0).random((3, 3, 16, 16), np.float32)
    result = hallucinator.hallucinate(lr)
    with torch.no_grad():
        expected = trained.eval()(torch.from_numpy(lr)).clamp(0, 1).numpy()
    assert result.shape == (3, 3, 128, 128)
    np.testing.assert_allclose(result, expected, atol=0.02)
    np.testing.assert_array_equal(hallucinator.hallucinate(lr[1:2]), result[1:2])


def test_weights_of_another_scale_are_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", net(), facts_of(options()))
    with pytest.raises(DataError, match="lr 16; lr 32 was requested"):
        HALLUCINATORS["tann"].create({"weights": str(tmp_path / "w.safetensors"), "size": "32"})
