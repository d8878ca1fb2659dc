"""The CycleGAN: the paper's sizes, its losses, the pool that survives a crash, and the chain step at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench.errors import DataError, UsageError
from bench.interfaces import FloatImages, Hallucinator
from bench.pipeline.chain import Chain
from bench.types import ImageSpec
from hallucinators.cyclegan import PAPER_PARAMETERS, CycleGanHallucinator, training
from hallucinators.cyclegan.network import Adapter, Generator, PatchCritic, Pool
from hallucinators.cyclegan.training import CycleStage
from hallucinators.networks.weight_file import Facts, read_facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.loop.run import train
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.settings import Settings

LEVEL = 40  # a step of 100 at which the rate is whole


class Grey(Hallucinator):
    """Makes of every face a darker one without colours."""

    output_spec = ImageSpec(128)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        large = lr.mean(1, keepdims=True).repeat(3, 1).repeat(128 // lr.shape[2], 2).repeat(128 // lr.shape[3], 3)
        return np.asarray(large * 0.5, np.float32)


@pytest.fixture(scope="module")
def source(trained_on: RenderedViews, validation_views: RenderedViews) -> PairSource:
    return PairSource(trained_on, validation_views, batch_size=4, held_out_pairs=4)


@pytest.fixture(scope="module")
def batch(source: PairSource) -> Batch:
    return source.batch(0)


def stage(preset: str = "compact", **settings: Any) -> CycleStage:
    torch.manual_seed(0)
    critics = PatchCritic(preset), PatchCritic(preset)
    return CycleStage(Adapter(preset), critics, [Grey()], **({"steps": 100} | settings))


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_paper_presets_have_the_papers_parameters() -> None:
    assert count(Generator("paper")) == PAPER_PARAMETERS == 7_837_699
    assert count(Generator("paper-9")) == 11_378_179
    assert count(PatchCritic("paper")) == 2_764_737


def test_a_compact_file_is_small_and_answers_come_for_patches() -> None:
    assert 2 * count(Adapter("compact")) <= 4 * 2**20
    for preset in ("paper", "compact"):
        with torch.no_grad():
            assert PatchCritic(preset)(torch.rand(1, 3, 128, 128)).shape == (1, 1, 14, 14)
    with pytest.raises(DataError, match=r"\(1, 3, 64, 64\)"):
        Generator("compact")(torch.rand(1, 3, 64, 64))
    with pytest.raises(UsageError, match="paper, paper-9, compact"):
        Generator("huge")


@pytest.mark.slow
def test_a_step_of_the_paper_preset_lowers_its_loss(batch: Batch) -> None:
    few = Batch(*(None if part is None else part[:2] for part in batch.parts()))  # type: ignore[arg-type]
    instance = stage("paper")
    values = [instance.update(few, LEVEL)["total"] for _ in range(3)]
    assert values[-1] < values[0]


def test_the_losses_are_the_papers_and_adaptation_comes_nearer(batch: Batch) -> None:
    instance = stage(rate=2e-3)
    values = [instance.update(batch, LEVEL) for _ in range(10)]
    for row in values:
        terms = row["to_gallery"] + row["to_hallucinated"] + 10 * row["cycle"] + 5 * row["identity"]
        assert row["total"] == pytest.approx(terms, rel=1e-4)
    assert (
        values[-1]["gallery_d"] < values[0]["gallery_d"] and values[-1]["hallucinated_d"] < values[0]["hallucinated_d"]
    )
    assert set(instance.optimisers()) == {"adapter", "critics"}
    with torch.no_grad():
        figures, shown = instance.validate(batch), instance.preview(batch)
    assert set(figures) == {"psnr_db", "before_psnr_db", "cycle_psnr_db"}
    assert len(shown) == 7 and all(0 <= image.min() and image.max() <= 1 for image in shown)


def test_errors_are_absolute_and_in_the_compact_preset_rounded_off() -> None:
    truth = torch.full((1, 3, 4, 4), 0.5)
    for off, absolute, rounded in ((0.2, 0.4, 0.35), (0.02, 0.04, 0.04**2 / 0.2)):
        assert stage()._error(truth + off, truth).item() == pytest.approx(absolute, rel=1e-4)
        assert stage(huber_delta=0.1)._error(truth + off, truth).item() == pytest.approx(rounded, rel=1e-4)


def test_gallery_faces_are_of_other_people(batch: Batch) -> None:
    seen: dict[str, torch.Tensor] = {}
    instance = stage()
    inputs: Any = instance._adapter.to_gallery.forward

    def forward(faces: torch.Tensor) -> torch.Tensor:
        seen.setdefault("first", faces.detach().clone())
        return inputs(faces)  # type: ignore[no-any-return]

    instance._adapter.to_gallery.forward = forward  # type: ignore[method-assign]
    instance.update(batch, LEVEL)
    hallucinated, gallery = seen["first"].chunk(2)
    assert torch.equal(gallery, batch.hr[2:])
    assert np.array_equal(hallucinated.numpy(), Grey().hallucinate(batch.lr[:2].numpy()))
    alone = Batch(*(None if part is None else part[:1] for part in batch.parts()))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="needs two faces"):
        instance.update(alone, LEVEL)


def test_the_pool_fills_then_gives_old_faces_back_half_of_the_time() -> None:
    torch.manual_seed(0)
    pool = Pool(size=4, side=2)
    first = torch.arange(4.0)[:, None, None, None].expand(4, 3, 2, 2) / 8
    assert torch.equal(pool.exchange(first), first) and int(pool.count) == 4
    old = 0
    for _ in range(100):
        new = torch.full((2, 3, 2, 2), 0.75)
        inputs = pool.exchange(new)
        old += int((inputs != 0.75).any(1).any(1).any(1).sum())
    assert 0 < old <= 4  # each of the first ones once, after which all are new
    fresh = Pool(size=1, side=2)
    fresh.exchange(torch.zeros(1, 3, 2, 2))
    same = sum(bool((fresh.exchange(torch.full((1, 3, 2, 2), i / 512)) == i / 512).all()) for i in range(1, 401))
    assert same == pytest.approx(200, abs=40)


def test_a_run_that_stopped_goes_on_with_the_same_pool(source: PairSource, tmp_path: Path) -> None:
    def settings(**changes: Any) -> Settings:
        inputs = {"steps": 7, "batch_size": 4, "validate_every": 7, "checkpoint_every": 4, "preview_every": 0}
        return Settings(**(inputs | changes))

    train(stage(pool=5), source, settings(), tmp_path / "whole", lambda line: None)

    class Stopping:
        held_out = source.held_out

        def batch(self, step: int) -> Batch:
            if step == 5:
                raise OSError("the disk is gone")
            return source.batch(step)

    with pytest.raises(OSError, match="disk is gone"):
        train(stage(pool=5), Stopping(), settings(), tmp_path / "halved", lambda line: None)
    torch.manual_seed(99)
    train(stage(pool=5), source, settings(), tmp_path / "halved", lambda line: None)
    one, other = (checkpoint.load_newest(tmp_path / name, lambda line: None) for name in ("whole", "halved"))
    assert one is not None and other is not None and one["step"] == other["step"] == 7
    assert int(one["modules"]["gallery_pool"]["count"]) == 5
    for module, state in one["modules"].items():
        for key, value in state.items():
            assert torch.equal(value, other["modules"][module][key]), (module, key)


def options(**changes: Any) -> Options:
    return Options(method="cyclegan", **({"of": "bicubic"} | changes))


def test_the_stage_learns_from_the_hallucinator_that_is_named() -> None:
    (instance,) = training.stages(options())
    assert (instance.name, instance.steps, instance.sides) == ("cycle", 1500, (32, 16))
    assert [s.sides for s in training.stages(options(of="bicubic:size=16+bicubic"))] == [(32, 16)]
    assert training.stages(options(steps={"cycle": 0})) == []
    for changes, known in (
        ({"preset": "huge"}, "paper, paper-9, compact"),
        ({"steps": {"fine": 3}}, "cycle"),
        ({"of": "nobody"}, "nobody"),
        ({"of": "bicubic:size=64"}, "128"),
    ):
        with pytest.raises(UsageError, match=known):
            training.stages(options(**changes))


def test_a_chain_that_gives_another_size_is_refused(batch: Batch) -> None:
    class Small(Grey):
        def hallucinate(self, lr: FloatImages) -> FloatImages:
            return lr

    instance = stage()
    instance._chain = (Small(),)
    with pytest.raises(UsageError, match="faces of 128 pixels"):
        instance.update(batch, LEVEL)


def test_the_last_steps_averages_are_exported_with_the_hallucinators_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished stage"):
        training.export(options(), tmp_path, tmp_path / "w.safetensors", {})
    (tmp_path / "cycle").mkdir()
    for step in (5, 9):
        torch.manual_seed(step)
        state = {"step": step, "averages": {"adapter": Adapter("compact").state_dict()}}
        checkpoint.save(checkpoint.path_of(tmp_path / "cycle", step), state)
    facts = training.export(options(), tmp_path, tmp_path / "w.safetensors", {"samples": 3})
    assert facts == read_facts(tmp_path / "w.safetensors", network="cyclegan", lr=0)
    hallucinator = CycleGanHallucinator(weights=tmp_path / "w.safetensors")
    assert hallucinator.trained_of == "bicubic" and facts.trained["samples"] == 3
    expected = state["averages"]["adapter"]  # type: ignore[index]
    for name, tensor in hallucinator._network.state_dict().items():
        assert torch.allclose(tensor, expected[name], atol=1e-3), name


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("weights") / "cyclegan.safetensors"
    torch.manual_seed(3)
    save_weights(path, Adapter("compact"), Facts("cyclegan", 0, "compact", {"of": "bicubic"}))
    yield path


def test_it_is_a_step_of_128_pixels_with_two_directions(weights: Path) -> None:
    face = np.random.default_rng(0).random((2, 3, 128, 128), np.float32)
    there = CycleGanHallucinator(weights=weights).hallucinate(face)
    back = CycleGanHallucinator(weights=weights, to="hallucinated").hallucinate(face)
    assert there.shape == back.shape == face.shape and not np.array_equal(there, back)
    assert np.array_equal(CycleGanHallucinator(weights=weights).hallucinate(face[1:])[0], there[1])
    images = [np.zeros((16, 16, 3), np.uint8)]
    results, _ = Chain.parse(f"bicubic+cyclegan:weights={weights}").hallucinate(images)
    assert results[0] is not None and results[0].shape == (128, 128, 3)
    with pytest.raises(UsageError, match="size=128"):
        Chain.parse(f"bicubic:size=64+cyclegan:weights={weights}")
