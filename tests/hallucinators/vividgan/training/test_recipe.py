"""From options to stages, from stages to a weight file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, MissingError, UsageError
from hallucinators.networks.registration import TRAINERS
from hallucinators.networks.transformer import warp_enlarged
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options
from hallucinators.training.steps.adversary import always
from hallucinators.training.steps.placement import GeometryStage
from hallucinators.vividgan import departures
from hallucinators.vividgan.network.coarse import CoarseNet
from hallucinators.vividgan.network.loading import build, load_weights
from hallucinators.vividgan.network.weight_file import Facts
from hallucinators.vividgan.training import recipe
from hallucinators.vividgan.training.flow import FlowTask
from hallucinators.vividgan.training.recipe import export, facts_of, stages
from hallucinators.vividgan.training.settings import used_by
from hallucinators.vividgan.training.stages import CoarseStage, TouchUpStage, WholeStage

ALREADY: dict[str, Any] = {"steps": {"geometry": 0}}
"""The coarse stage is the first then."""


def options(method: str = "vividgan", **changes: Any) -> Options:
    return Options(method=method, **({"identity": "none"} | changes))


def different(module: nn.Module, seed: int) -> dict[str, Tensor]:
    """Other weights for a module, that half precision holds exactly."""
    torch.manual_seed(seed)
    return {name: (0.05 * torch.randn_like(tensor)).half().float() for name, tensor in module.state_dict().items()}


def finished(folder: Path, name: str, state: dict[str, Tensor], *, step: int = 5) -> dict[str, Tensor]:
    """Leave the best weights of a stage there, as the loop does."""
    stage = folder / {"net": "coarse", "model": "whole"}.get(name, name)
    stage.mkdir(parents=True, exist_ok=True)
    checkpoint.save(checkpoint.path_of(stage, step, "best"), {"step": step, "averages": {name: state}})
    return state


def holds(module: nn.Module | None, state: dict[str, Tensor]) -> bool:
    assert module is not None
    return all(torch.equal(tensor, state[name]) for name, tensor in module.state_dict().items())


def test_every_method_says_its_stages_and_exports() -> None:
    import importlib

    expected = {
        "vividgan": ["geometry", "coarse", "touchup", "whole"],
        "vividgan-flow": ["coarse", "touchup", "whole"],
        "stn": ["align"],
        "srgan": ["pixels", "adversarial"],
        "cbn": ["pixels"],
        "waveletsrnet": ["pixels"],
        "tdae": ["geometry", "decoder1", "encoder", "decoder2"],
        "tann": ["geometry", "image"],
        "drgan": ["pixel", "adversarial"],
        "cyclegan": ["cycle"],
    }
    assert set(expected) == set(TRAINERS)
    for name, names in expected.items():
        method = importlib.import_module(TRAINERS[name].module)
        assert callable(method.export)
        try:
            assert [stage.name for stage in method.stages(options(name))] == names, name
        except MissingError as error:  # networks behind the aligner ask for its file at once
            assert "stn" in str(error), name


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"geometry": 12000, "coarse": 6500, "touchup": 1000, "whole": 3000}),
        ({"steps": {"touchup": 7, "geometry": 3}}, {"geometry": 3, "coarse": 6500, "touchup": 7, "whole": 3000}),
        ({"steps": {"touchup": 0, "whole": 0}}, {"geometry": 12000, "coarse": 6500}),
        ({"touchup": False, "steps": {"geometry": 0}}, {"coarse": 6500, "whole": 3000}),
        ({"true_components": True, "steps": {"geometry": 0}}, {"coarse": 6500, "whole": 3000}),
        ({"touchup": False, "steps": {"touchup": 9, "geometry": 0}}, {"coarse": 6500, "whole": 3000}),
        ({"steps": {"geometry": 0, "coarse": 0, "touchup": 0, "whole": 0}}, {}),
    ],
)
def test_stages_are_those_that_were_requested(changes: dict[str, Any], expected: dict[str, int]) -> None:
    assert {stage.name: stage.steps for stage in stages(options(**changes))} == expected


def test_first_stages_see_where_points_went_and_the_flow_network_sees_both_sizes() -> None:
    assert [(s.sides, s.flow) for s in stages(options("vividgan-flow"))] == [
        ((32, 16), f) for f in (True, False, False)
    ]
    for side in (16, 32):
        assert [(s.sides, s.flow) for s in stages(options(lr=side))] == [
            ((side,), f) for f in (True, True, False, False)
        ]


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"preset": "huge"}, "paper, compact"),
        ({"losses": "all"}, "minus, dagger, ddagger, star, full"),
        ({"lr": 24}, "16 or 32"),
        ({"steps": {"fine": 3}}, "geometry, coarse, (photographs, )?touchup, whole"),
    ],
)
def test_unknown_names_are_met_with_the_known_ones(changes: dict[str, Any], known: str) -> None:
    for method in TRAINERS:
        with pytest.raises(UsageError, match=known):
            stages(options(method, **changes))


def test_a_teacher_that_is_not_here_is_missing() -> None:
    with pytest.raises(MissingError):
        stages(options(identity="nowhere.pth"))


def test_first_weights_are_the_same_in_every_process_and_stage(tmp_path: Path) -> None:
    def first() -> list[dict[str, Tensor]]:
        modules = stages(options(**ALREADY))[0].build(tmp_path).modules()
        assert set(modules) == {"coarse", "coarse_d"}
        return [dict(module.state_dict()) for module in modules.values()]

    one = first()
    torch.manual_seed(99)
    for mine, other in zip(one, first(), strict=True):
        assert all(torch.equal(mine[name], other[name]) for name in mine)


def test_later_stages_start_from_the_averages_of_the_earlier_ones(tmp_path: Path) -> None:
    fresh = build(facts_of(options()))
    coarse = finished(tmp_path, "coarse", different(fresh.coarse, 1))
    finished(tmp_path, "coarse", different(fresh.coarse, 9), step=3)
    assert fresh.touchup is not None
    instance = [stage.build for stage in stages(options(**ALREADY))]
    touching = instance[1](tmp_path)
    assert isinstance(touching, TouchUpStage) and holds(touching._model.coarse, coarse)
    touchup = finished(tmp_path, "touchup", different(fresh.touchup, 2))
    whole = instance[2](tmp_path)
    assert isinstance(whole, WholeStage)
    assert holds(whole._model.coarse, coarse) and holds(whole._model.touchup, touchup)


def test_a_stage_without_the_one_before_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="geometry holds no finished stage; train it first"):
        stages(options())[1].build(tmp_path)
    for stage in stages(options(**ALREADY))[1:]:
        with pytest.raises(DataError, match="coarse holds no finished stage; train it first"):
            stage.build(tmp_path)
    finished(tmp_path, "coarse", different(build(facts_of(options())).coarse, 1))
    with pytest.raises(DataError, match="touchup holds no finished stage"):
        stages(options(**ALREADY))[2].build(tmp_path)
    for calls in (options(touchup=False, **ALREADY), options(true_components=True, **ALREADY)):
        assert stages(calls)[1].build(tmp_path).name == "vividgan"


def test_the_coarse_stage_starts_from_what_learned_where_the_face_is(tmp_path: Path) -> None:
    geometry, coarse = stages(options())[:2]
    task = geometry.build(tmp_path)
    assert isinstance(task, GeometryStage) and set(task.modules()) == {"coarse"}
    placed = finished(tmp_path, "coarse", different(build(facts_of(options())).coarse, 4))
    (tmp_path / "coarse").rename(tmp_path / "geometry")
    assert holds(coarse.build(tmp_path).modules()["coarse"], placed)


def test_a_network_without_carry_is_recorded_in_its_file(tmp_path: Path) -> None:
    letter = options(carry=False, steps={"touchup": 0, "whole": 0})
    finished(tmp_path, "coarse", different(build(facts_of(letter)).coarse, 1))
    assert not export(letter, tmp_path, tmp_path / "w.safetensors", {}).carry
    model, result = load_weights(tmp_path / "w.safetensors")
    assert not result.carry and isinstance(model.coarse, CoarseNet) and not model.coarse.carry


def test_the_flow_networks_coarse_stage_is_geometry_first_and_then_frozen(tmp_path: Path) -> None:
    instance = stages(options("vividgan-flow", steps={"coarse": 9}))
    task = instance[0].build(tmp_path)
    assert isinstance(task, FlowTask) and (task._steps, task._geometry_steps) == (9, 3)
    fresh = build(facts_of(options("vividgan-flow")))
    net = finished(tmp_path, "net", different(fresh.coarse, 1))
    assert fresh.touchup is not None
    finished(tmp_path, "touchup", different(fresh.touchup, 2))
    whole = instance[2].build(tmp_path)
    assert isinstance(whole, WholeStage) and holds(whole._model.coarse, net)
    assert not any(p.requires_grad for p in whole._model.coarse.parameters()) and "coarse_d" not in whole.modules()
    assert whole._objective.terms == {"pixel", "structure", "identity"}, "pixels alone forget people"
    plain = stages(options("vividgan-flow", losses="minus", steps={"coarse": 9}))[2].build(tmp_path)
    assert isinstance(plain, WholeStage) and plain._objective.terms == {"pixel", "structure"}


@pytest.mark.parametrize("method", ["vividgan", "vividgan-flow"])
@pytest.mark.parametrize(("losses", "has_teacher"), [("minus", False), ("dagger", True), ("full", True)])
def test_a_set_of_losses_without_identity_asks_no_teacher(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trained_on: RenderedViews,
    validation_views: RenderedViews,
    method: str,
    losses: str,
    has_teacher: bool,
) -> None:
    calls: list[int] = []

    def embed(images: Tensor, five: Tensor) -> Tensor:
        calls.append(len(images))
        return nn.functional.avg_pool2d(images.float(), 32).flatten(1)

    monkeypatch.setattr(recipe, "load_teacher", lambda name, device: embed)
    stage = stages(options(method, losses=losses, steps={"geometry": 0, "coarse": 3}))[0]
    source = PairSource(trained_on, validation_views, batch_size=2, sides=stage.sides, flow=stage.flow)
    stage.build(tmp_path).update(source.batch(0), 2)
    assert bool(calls) == has_teacher


def test_variants_leave_out_what_their_name_says(tmp_path: Path) -> None:
    bare = stages(options(component_aware=False, **ALREADY))
    task = bare[0].build(tmp_path)
    assert isinstance(task, CoarseStage) and "structure" not in task._objective.terms
    assert "adversarial_coarse" in task._objective.terms
    finished(tmp_path, "coarse", different(build(facts_of(options())).coarse, 1))
    lean = stages(options(component_aware=False, touchup=False, losses="ddagger", **ALREADY))[1].build(tmp_path)
    assert isinstance(lean, WholeStage) and set(lean.modules()) == {"model"}
    assert lean._model.touchup is None and lean._model.fine.hourglass is None


def test_the_weight_file_holds_the_best_of_the_last_stage(tmp_path: Path) -> None:
    fresh = build(facts_of(options()))
    finished(tmp_path, "coarse", different(fresh.coarse, 1))
    whole = finished(tmp_path, "model", different(fresh, 3))
    facts = export(options(), tmp_path, tmp_path / "w.safetensors", {"people": 3})
    used = used_by(options()) | {"identity": "none"}
    described = {"recipe": "ours", "departures": departures.differences(used)}
    assert facts == Facts("vividgan", 16, "compact", trained={"people": 3, **described})
    assert described["departures"]["ema"] == 0.999 and "residual_scale" not in described["departures"]
    model, result = load_weights(tmp_path / "w.safetensors")
    assert result == facts and holds(model, whole)


@pytest.mark.parametrize(("method", "name"), [("vividgan", "coarse"), ("vividgan-flow", "net")])
def test_a_coarse_training_makes_a_file_of_the_coarse_network(tmp_path: Path, method: str, name: str) -> None:
    calls = options(method, steps={"touchup": 0, "whole": 0})
    coarse = finished(tmp_path, name, different(build(facts_of(calls)).coarse, 1))
    facts = export(calls, tmp_path, tmp_path / "w.safetensors", {})
    assert not facts.fine and facts.lr == (16 if method == "vividgan" else 0)
    model, result = load_weights(tmp_path / "w.safetensors", network=facts.network)
    assert result == facts and holds(model.coarse, coarse)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, 0.6),
        ({"carry": False}, 1),
        ({"identity": "none"}, 1),
        ({"losses": "minus"}, 1),
        ({"method": "vividgan-flow"}, 1),
    ],
)
def test_the_residual_is_scaled_after_training_with_identification(
    tmp_path: Path, changes: dict[str, Any], kept: float
) -> None:
    calls = options(**({"identity": "dlib", "steps": {"touchup": 0, "whole": 0}} | changes))
    coarse = finished(tmp_path, "coarse", different(build(facts_of(calls)).coarse, 1))
    export(calls, tmp_path, tmp_path / "w.safetensors", {})
    result = load_weights(tmp_path / "w.safetensors")[0].coarse.state_dict()
    residual = {"to_rgb.weight", "to_rgb.bias"} if kept < 1 else set()
    for name, tensor in coarse.items():
        reference = (tensor * kept).half().float() if name in residual else tensor
        assert torch.equal(result[name], reference), name


def test_scaling_the_residual_scales_what_is_added() -> None:
    net = build(facts_of(options())).coarse
    assert isinstance(net, CoarseNet)
    net.load_state_dict(different(net, 5))
    lr = torch.rand(2, 3, 16, 16)
    with torch.inference_mode():
        before, theta = net.locate(lr)
        net.scale_residual(0.25)
        after = net(lr)
    aligned = warp_enlarged(lr, theta, 128)
    assert (before - aligned).abs().max() > 1e-3
    torch.testing.assert_close(after - aligned, 0.25 * (before - aligned), atol=1e-5, rtol=1e-4)


def test_a_whole_stage_that_is_left_out_now_is_left_out_of_the_file(tmp_path: Path) -> None:
    fresh = build(facts_of(options()))
    coarse = finished(tmp_path, "coarse", different(fresh.coarse, 1))
    finished(tmp_path, "model", different(fresh, 3))
    facts = export(options(steps={"whole": 0}), tmp_path, tmp_path / "w.safetensors", {})
    assert not facts.fine and holds(load_weights(tmp_path / "w.safetensors")[0].coarse, coarse)


def test_nothing_trained_is_nothing_to_export(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no finished stage"):
        export(options(), tmp_path, tmp_path / "w.safetensors", {})
    assert not (tmp_path / "w.safetensors").exists()


def paper_options(**changes: Any) -> Options:
    settings = departures.values("paper", {})
    for name in ("preset", "precision", "identity", "carry"):
        del settings[name]
    return options(**({"carry": False, "recipe": "paper", "settings": settings} | changes))


def test_the_recipe_paper_has_no_supervised_alignment_and_the_papers_pairs() -> None:
    planned = stages(paper_options(steps={"geometry": 9}))
    assert [(stage.name, stage.flow) for stage in planned] == [("coarse", False), ("touchup", False), ("whole", False)]
    for stage in planned:
        pairs = stage.augmentation
        assert pairs and not pairs.free_views
        assert pairs.mild_share == pairs.surround == pairs.mirror == pairs.frontal == 0


def test_the_recipe_paper_uses_all_terms_at_once_and_trains_the_coarse_network_in_the_last_stage(
    tmp_path: Path,
) -> None:
    coarse, touchup, whole = stages(paper_options())
    task = coarse.build(tmp_path)
    assert isinstance(task, CoarseStage) and task._objective.late == 0
    assert task._objective.weights.alpha1 == task._objective.weights.alpha2 == 0.01
    assert task._objective.identification_weight == 0 and not task._objective.settings.identity_jitter
    assert task._adversary and task._adversary._limit is None and task._adversary._rule is always
    fresh = build(facts_of(paper_options()))
    weights = finished(tmp_path, "coarse", different(fresh.coarse, 1))
    assert fresh.touchup is not None
    finished(tmp_path, "touchup", different(fresh.touchup, 2))
    touching = touchup.build(tmp_path)
    assert isinstance(touching, TouchUpStage) and holds(touching._model.coarse, weights)
    last = whole.build(tmp_path)
    assert isinstance(last, WholeStage) and set(last.modules()) == {"model", "coarse_d", "fine_d"}
    assert all(parameter.requires_grad for parameter in last._model.coarse.parameters())


def test_the_recipe_ours_freezes_the_coarse_network_in_the_last_stage(tmp_path: Path) -> None:
    fresh = build(facts_of(options()))
    finished(tmp_path, "coarse", different(fresh.coarse, 1))
    assert fresh.touchup is not None
    finished(tmp_path, "touchup", different(fresh.touchup, 2))
    last = stages(options(**ALREADY))[2].build(tmp_path)
    assert isinstance(last, WholeStage) and set(last.modules()) == {"model", "fine_d"}
    assert not any(parameter.requires_grad for parameter in last._model.coarse.parameters())


def test_the_header_of_a_file_by_the_recipe_paper_names_only_the_stand_in(tmp_path: Path) -> None:
    calls = paper_options(preset="compact", identity="dlib", steps={"whole": 0})
    finished(tmp_path, "coarse", different(build(facts_of(calls)).coarse, 1))
    facts = export(calls, tmp_path, tmp_path / "w.safetensors", {"precision": "fp32"})
    assert facts.trained["recipe"] == "paper"
    assert facts.trained["departures"] == {"preset": "compact", "identity": "dlib"}


def test_initial_weights_depend_on_the_seed(tmp_path: Path) -> None:
    one, same, other = (
        stages(options(seed=seed, **ALREADY))[0].build(tmp_path).modules()["coarse"].state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
