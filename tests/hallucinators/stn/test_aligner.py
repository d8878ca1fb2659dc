"""The aligner: size, geometry, training, weight file, hallucinator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, MissingError, UsageError
from bench.faces.pairs.pack import SIDE
from bench.images import resize_float
from bench.interfaces import HALLUCINATORS
from hallucinators import stn as registered
from hallucinators.networks.registration import TRAINERS
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.stn.aligner import (
    Aligner,
    AlignTask,
    compose,
    export,
    load_aligner,
    resample,
    stages,
    upright_lr,
)
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db


@pytest.fixture(scope="module", params=[16, 32])
def batch(request: pytest.FixtureRequest, trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=8, sides=(request.param,), upright=True).batch(0)


def aligner(preset: str = "compact", lr: int = 16) -> Aligner:
    torch.manual_seed(0)
    return Aligner(preset, lr)


def shaken(network: Aligner) -> Aligner:
    """One that turns, scales and shifts."""
    torch.manual_seed(3)
    for name, parameter in network.named_parameters():
        if ".similarity." in name:
            nn.init.normal_(parameter, std=0.05)
    return network.eval()


def options(**changes: Any) -> Options:
    return Options(method="stn", **changes)


def true_similarity(batch: Batch) -> Tensor:
    """How faces were moved, in coordinates of [-1, 1] over the edges."""
    assert batch.similarity is not None
    linear, half = batch.similarity[:, :, :2], SIDE / 2
    shift = linear.sum(2) * (half - 0.5) + batch.similarity[:, :, 2]
    return torch.cat([linear, ((shift + 0.5) / half - 1)[:, :, None]], 2)


def test_the_paper_preset_has_as_many_parameters_as_the_authors() -> None:
    sizes = [sum(p.numel() for p in aligner("paper", lr).parameters()) for lr in (16, 32)]
    assert sizes == [registered.PAPER_PARAMETERS, 13_244] and registered.PAPER_PARAMETERS == 58_592


@pytest.mark.parametrize("lr", [16, 32])
@pytest.mark.parametrize("preset", ["paper", "compact"])
def test_it_starts_by_leaving_faces_as_they_are(preset: str, lr: int) -> None:
    faces = torch.rand(2, 3, lr, lr)
    torch.testing.assert_close(aligner(preset, lr)(faces), faces, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("preset", "lr", "says"), [("huge", 16, "paper, compact"), ("compact", 24, "16 or 32 pixels")])
def test_unknown_presets_and_sizes_are_refused(preset: str, lr: int, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Aligner(preset, lr)
    with pytest.raises(UsageError, match=says):
        stages(options(preset=preset, lr=lr))


def test_faces_of_another_size_are_refused() -> None:
    with pytest.raises(DataError, match=r"built for \(N, 3, 16, 16\), given \(2, 3, 32, 32\)"):
        aligner()(torch.rand(2, 3, 32, 32))


def test_composed_matrices_do_one_after_the_other() -> None:
    torch.manual_seed(0)
    outer, inner, point = torch.randn(4, 2, 3), torch.randn(4, 2, 3), torch.randn(4, 2)

    def moved(matrix: Tensor, points: Tensor) -> Tensor:
        return torch.einsum("nij,nj->ni", matrix[:, :, :2], points) + matrix[:, :, 2]

    torch.testing.assert_close(moved(compose(outer, inner), point), moved(outer, moved(inner, point)))


def test_a_shift_by_a_pixel_moves_by_a_pixel_and_repeats_the_border() -> None:
    faces = torch.rand(1, 3, 16, 16)
    moved = resample(faces, torch.tensor([[[1.0, 0.0, 2 / 16], [0.0, 1.0, 0.0]]]))
    torch.testing.assert_close(moved[..., :-1], faces[..., 1:], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[..., -1], faces[..., -1], atol=1e-5, rtol=0)


def test_the_truth_is_shrunk_as_the_suite_shrinks(batch: Batch) -> None:
    assert batch.upright is not None
    side = batch.lr.shape[-1]
    expected = resize_float(batch.upright.numpy(), side, side).clip(0, 1)
    np.testing.assert_allclose(upright_lr(batch).numpy(), expected, atol=1e-5)


def test_the_true_similarity_brings_faces_upright(batch: Batch) -> None:
    truth = upright_lr(batch)
    assert psnr_db(resample(batch.lr, true_similarity(batch)), truth) > psnr_db(batch.lr, truth) + 3


def test_the_second_look_sees_what_the_first_brought_upright() -> None:
    network, faces = shaken(aligner()), torch.rand(3, 3, 16, 16)
    first, last = network.similarities(faces)
    again = network.looks[1].theta(2 * resample(faces, first) - 1)  # type: ignore[operator]
    torch.testing.assert_close(last, compose(first, again))
    assert not torch.allclose(first, last) and len(aligner("paper").similarities(faces)) == 1


def test_steps_lower_the_loss_of_both_presets(batch: Batch) -> None:
    for preset in ("paper", "compact"):
        task = AlignTask(aligner(preset, batch.lr.shape[-1]), steps=15, rate=2e-2)
        values = [task.update(batch, step)["total"] for step in range(15)]
        assert min(values[-3:]) < 0.95 * values[0]


def test_figures_say_how_far_it_is_off(batch: Batch) -> None:
    with torch.no_grad():
        result = AlignTask(aligner(lr=batch.lr.shape[-1]), steps=1).validate(batch)
    assert result["psnr_db"] == pytest.approx(result["unaligned_psnr_db"], abs=1e-3) and result["alignment_px"] > 3


def test_batches_without_upright_faces_are_refused(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    bare = PairSource(trained_on, validation_views, batch_size=2).batch(0)
    with pytest.raises(DataError, match="upright=True"):
        upright_lr(bare)


def test_the_stage_asks_for_upright_faces_and_counts_its_steps() -> None:
    assert TRAINERS["stn"].module == stages.__module__
    (stage,) = stages(options(lr=32))
    assert (stage.name, stage.steps, stage.sides, stage.upright) == ("align", 6000, (32,), True)
    assert stages(options(steps={"align": 0})) == []
    with pytest.raises(UsageError, match="align"):
        stages(options(steps={"whole": 1}))


def test_the_best_averages_become_the_weight_file_and_the_hallucinator(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished stage"):
        export(options(), tmp_path, tmp_path / "stn.safetensors", {})
    network = shaken(aligner())
    (tmp_path / "align").mkdir()
    path = checkpoint.path_of(tmp_path / "align", 5, "best")
    checkpoint.save(path, {"step": 5, "averages": {"network": network.state_dict()}})
    weights = tmp_path / "stn.safetensors"
    assert export(options(), tmp_path, weights, {"people": 3}) == Facts("stn", 16, "compact", {"people": 3})
    faces = torch.rand(2, 3, 16, 16)
    loaded = load_aligner(weights, 16)
    torch.testing.assert_close(loaded(faces), network(faces), atol=2e-2, rtol=0)  # half precision
    assert not any(p.requires_grad for p in loaded.parameters())

    instance = HALLUCINATORS["stn"].create({"weights": str(weights)})
    inputs = instance.hallucinate(faces.numpy())
    np.testing.assert_allclose(inputs, loaded(faces).numpy(), atol=1e-5)
    assert inputs.shape == (2, 3, 16, 16) and instance.input_spec.size == 16
    assert (instance.output_spec.size, instance.output_spec.scale, instance.output_frame) == (None, 1, "utkface200")


def test_weights_of_another_size_or_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "stn.safetensors"
    with pytest.raises(MissingError, match="bench train stn"):
        HALLUCINATORS["stn"].create({"weights": str(path)})
    save_weights(path, aligner(), Facts("stn", 16, "compact"))
    with pytest.raises(DataError, match="lr 16; lr 32 was requested"):
        HALLUCINATORS["stn"].create({"weights": str(path), "size": "32"})
