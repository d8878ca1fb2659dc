"""DR-GAN: the paper's sizes, what each stage learns from, and the frontaliser at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, UsageError
from hallucinators.drgan import PAPER_PARAMETERS, DrGanHallucinator, training
from hallucinators.drgan.network import PRESETS, DrDiscriminator, DrGan, nearest_bin, resized
from hallucinators.drgan.presets import POSES_DEG
from hallucinators.drgan.training import DrGanStage, classes, inputs, mixed_inputs
from hallucinators.networks.weight_file import Facts, read_facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch

LEVEL = 40  # a step of 100 at which the rate is whole


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=6, upright=True).batch(0)


def net(preset: str = "compact") -> DrGan:
    torch.manual_seed(0)
    return DrGan(preset)


def critic(preset: str = "compact", people: int = 0) -> DrDiscriminator:
    torch.manual_seed(1)
    return DrDiscriminator(preset, people=people)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_paper_preset_has_the_papers_parameters() -> None:
    paper = DrGan("paper")
    assert (count(paper), count(paper.encoder)) == (PAPER_PARAMETERS, 2_861_984)
    assert (len(paper.poses_deg), paper.noise) == (13, 50)
    assert count(DrDiscriminator("paper", people=200)) == 2_930_678


def test_a_compact_file_is_small() -> None:
    assert 2 * sum(tensor.numel() for tensor in net().state_dict().values()) <= 4 * 2**20


@pytest.mark.slow
def test_a_step_of_the_paper_preset_lowers_its_loss(batch: Batch) -> None:
    few = Batch(*(None if part is None else part[:2] for part in batch.parts()))  # type: ignore[arg-type]
    stage = DrGanStage(net("paper"), critic("paper", 5), steps=100, people=5, rate=2e-4)
    reported_values = [stage.update(few, LEVEL)]
    assert set(reported_values[0]) >= {
        "pixel",
        "real",
        "identity",
        "pose",
        "critic_real",
        "critic_identity",
        "critic_pose",
    }
    reported_values += [stage.update(few, LEVEL) for _ in range(3)]
    assert reported_values[-1]["pixel"] < reported_values[0]["pixel"]


def test_the_pixel_stage_goes_down(batch: Batch) -> None:
    stage = DrGanStage(net(), None, steps=100)
    reported_values = [stage.update(batch, LEVEL)["total"] for _ in range(12)]
    assert reported_values[-1] < 0.7 * reported_values[0]
    assert set(stage.modules()) == set(stage.optimisers()) == {"net"}
    with torch.no_grad():
        figures, shown = stage.validate(batch), stage.preview(batch)
    assert set(figures) == {"psnr_db", "upright_psnr_db", "shrunk_psnr_db", "lr_psnr_db"}
    assert all(image.shape[:2] == (6, 3) and 0 <= image.min() and image.max() <= 1 for image in shown)


def test_the_discriminator_learns_who_it_is_real_and_where_it_looks(batch: Batch) -> None:
    stage = DrGanStage(net(), critic(), steps=100)
    reported_values = [stage.update(batch, 5 * step) for step in range(12)]
    for name in ("critic_real", "critic_identity", "critic_pose"):
        assert reported_values[-1][name] < reported_values[0][name], name
    assert set(stage.modules()) == set(stage.optimisers()) == {"net", "critic"}


def test_a_discriminator_that_is_too_good_learns_at_every_fifth_step(batch: Batch) -> None:
    class Sure(DrDiscriminator):
        def forward(self, faces: Tensor) -> Any:
            answer = super().forward(faces)
            return answer._replace(real=answer.real * 0 + torch.tensor([-9.0] * 6 + [9.0] * 12))

    torch.manual_seed(1)
    sure = Sure("compact", people=0)
    stage = DrGanStage(net(), sure, steps=100)
    before = sure.heads.weight.detach().clone()
    assert stage.update(batch, 41)["critic_right"] == 1.0
    assert torch.equal(sure.heads.weight, before)
    stage.update(batch, 45)
    assert not torch.equal(sure.heads.weight, before)


def test_only_faces_with_a_truth_count_by_pixels(batch: Batch) -> None:
    torch.manual_seed(0)
    input_poses = torch.tensor([8] * 4000)
    pose, paired = DrGanStage(net(), critic(), steps=9)._target_poses(input_poses)
    frontal = net().frontal()
    assert bool((paired[pose == frontal] == 1).all())
    assert (pose == 8).float().mean().item() == pytest.approx(0.25 + 0.25 / 9, abs=0.03)
    assert bool((paired[(pose != frontal) & (pose != 8)] == 0).all())
    assert 1 - paired.mean().item() == pytest.approx(0.25 * 8 / 9, abs=0.03)
    pose, paired = DrGanStage(net(), None, steps=9)._target_poses(input_poses)
    assert set(pose.tolist()) == {8, frontal} and bool((paired == 1).all())


def test_poses_go_to_the_nearest_bin() -> None:
    yaws = torch.tensor([0.0, 10.0, -33.0, 90.0, -75.0])
    bins = POSES_DEG["compact"]
    assert [bins[int(i)] for i in nearest_bin(yaws, bins)] == [0, 0, -40, 75, -75]
    assert [POSES_DEG["paper"][int(i)] for i in nearest_bin(yaws, POSES_DEG["paper"])] in (
        [0, 15, -30, 90, -75],
        [0, 15, -45, 90, -75],
    )
    assert all(PRESETS[name].poses_deg == POSES_DEG[name] for name in PRESETS)


def test_faces_of_several_packs_are_classes_of_one_head() -> None:
    face = torch.tensor([0, 1, 2**32, 2**32 + 1, 3 * 2**32 + 4])
    result = classes(face, 100)
    assert len(set(result.tolist())) == 5 and 0 <= int(result.min()) and int(result.max()) < 100
    assert torch.equal(result, classes(face.flip(0), 100).flip(0))


def test_a_batch_shows_sharp_shrunk_and_unaligned_faces_in_turn(batch: Batch) -> None:
    supplied, mixed = inputs(batch), mixed_inputs(batch)
    assert batch.upright is not None
    for row in range(6):
        assert torch.equal(mixed[row], supplied[("upright", "shrunk", "lr")[row % 3]][row])
    small = resized(batch.upright, 16)
    assert torch.equal(supplied["shrunk"], resized(small, 96)) and not torch.equal(
        supplied["shrunk"], supplied["upright"]
    )
    assert not torch.equal(mixed_inputs(batch, jitter=True)[0], mixed[0])
    with pytest.raises(DataError, match="no upright faces"):
        mixed_inputs(Batch(*batch.parts()[:6]))  # type: ignore[arg-type]


def options(**changes: Any) -> Options:
    return Options(method="drgan", **changes)


def test_stages_are_pixels_then_the_discriminator() -> None:
    instance = training.stages(options())
    assert [(s.name, s.steps, s.sides, s.upright) for s in instance] == [
        ("pixel", 1000, (32, 16), True),
        ("adversarial", 500, (32, 16), True),
    ]
    assert [s.name for s in training.stages(options(steps={"adversarial": 0, "pixel": 3}))] == ["pixel"]
    for changes, known in (({"preset": "huge"}, "paper, compact"), ({"steps": {"fine": 3}}, "pixel, adversarial")):
        with pytest.raises(UsageError, match=known):
            training.stages(options(**changes))


def test_the_second_stage_goes_on_and_its_weights_are_exported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished stage"):
        training.stages(options())[1].build(tmp_path)
    torch.manual_seed(7)
    state = DrGan("compact").state_dict()
    for name in ("pixel", "adversarial"):
        (tmp_path / name).mkdir()
        checkpoint.save(checkpoint.path_of(tmp_path / name, 5, "best"), {"step": 5, "averages": {"net": state}})
        state = {key: value if key.endswith("tracked") else value.half().float() + 1 for key, value in state.items()}
    going_on = training.stages(options())[1].build(tmp_path).modules()["net"]
    pixels = checkpoint.load(checkpoint.path_of(tmp_path / "pixel", 5, "best"))["averages"]["net"]
    assert torch.equal(dict(going_on.state_dict())["spread.weight"], pixels["spread.weight"])
    out = tmp_path / "drgan.safetensors"
    facts = training.export(options(), tmp_path, out, {"samples": 3})
    assert facts == read_facts(out, network="drgan", lr=0) and facts.trained == {"samples": 3}
    hallucinator = DrGanHallucinator(weights=out)
    best = checkpoint.load(checkpoint.path_of(tmp_path / "adversarial", 5, "best"))["averages"]["net"]
    assert torch.allclose(hallucinator._network.state_dict()["spread.weight"], best["spread.weight"], atol=1e-3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "drgan.safetensors"
    instance = net()
    with torch.no_grad():
        for parameter in instance.parameters():
            parameter.mul_(3)  # so that pose and noise have an effect with initial weights
    save_weights(path, instance, Facts("drgan", 0, "compact"))
    return path


def test_the_face_comes_back_in_its_size(weights: Path) -> None:
    hallucinator = DrGanHallucinator(weights=weights)
    for height, width in ((16, 16), (128, 128), (20, 30)):
        face = np.random.default_rng(0).random((2, 3, height, width), np.float32)
        out = hallucinator.hallucinate(face)
        assert out.shape == face.shape and out.dtype == np.float32 and 0 <= out.min() and out.max() <= 1
        assert np.array_equal(hallucinator.hallucinate(face[1:])[0], out[1])


def test_pose_and_noise_are_arguments(weights: Path) -> None:
    face = np.random.default_rng(0).random((1, 3, 128, 128), np.float32)
    frontal = DrGanHallucinator(weights=weights)
    turned = DrGanHallucinator(weights=weights, pose=-40)
    noisy = [DrGanHallucinator(weights=weights, noise="random", seed=seed).hallucinate(face) for seed in (0, 0, 1)]
    plain = frontal.hallucinate(face)
    assert not np.array_equal(plain, turned.hallucinate(face)) and not np.array_equal(plain, noisy[0])
    assert np.array_equal(noisy[0], noisy[1]) and not np.array_equal(noisy[0], noisy[2])
    assert (frontal.output_frame, turned.output_frame) == ("utkface200", None)


def test_a_pose_outside_the_bins_is_met_with_the_bins(weights: Path) -> None:
    with pytest.raises(UsageError, match="-75, -55, -40, -22, 0, 22, 40, 55, 75"):
        DrGanHallucinator(weights=weights, pose=90)
    with pytest.raises(UsageError, match="not be negative"):
        DrGanHallucinator(weights=weights, seed=-1)


def test_weights_of_another_network_or_preset_are_refused(weights: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_weights(other, nn.Linear(2, 2), Facts("cyclegan", 0, "compact"))
    with pytest.raises(DataError, match="'cyclegan'"):
        DrGanHallucinator(weights=other)
    save_weights(other, nn.Linear(2, 2), Facts("drgan", 0, "huge"))
    with pytest.raises(DataError, match="huge"):
        DrGanHallucinator(weights=other)
