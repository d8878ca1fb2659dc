"""The three stages: each goes down, terms and discriminators join when they should, what is frozen stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bench.errors import UsageError
from hallucinators.networks.discriminator import Discriminator
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.adversary import Adversary
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.schedule import rate_at
from hallucinators.vividgan.network.coarse import CoarseWidths
from hallucinators.vividgan.network.components import COMPONENTS, PATCH_SIZES, centres_from_five, crop
from hallucinators.vividgan.network.fine import FineWidths
from hallucinators.vividgan.network.model import VividGAN, Widths
from hallucinators.vividgan.training.losses import LOSS_SETS
from hallucinators.vividgan.training.objective import Objective, coarse_objective
from hallucinators.vividgan.training.settings import VividSettings
from hallucinators.vividgan.training.stages import CoarseStage, TouchUpStage, WholeStage
from hallucinators.vividgan.training.teacher import identity_losses

TINY = Widths(
    CoarseWidths(encoder=4, code=8, at_16=8, at_32=8, at_64=4, at_128=4),
    (4, 4, 8, 8),
    FineWidths(at_128=4, at_64=4, at_32=8, hourglass=8),
    hourglasses=2,
)
LEVEL = 400  # a step of 1000 at which the rate is whole
NO_CRITICS = LOSS_SETS["ddagger"]


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4).batch(0)


def model(**settings: object) -> VividGAN:
    torch.manual_seed(0)
    return VividGAN(lr=16, widths=TINY, **settings)  # type: ignore[arg-type]


def critic() -> Discriminator:
    torch.manual_seed(1)
    return Discriminator(width=0.05)


def averages(images: Tensor, five: Tensor) -> Tensor:
    """A stand-in for a recogniser."""
    return nn.functional.avg_pool2d(images.float(), 32).flatten(1)


def weights(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in net.state_dict().items()}


def changed(net: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}


def test_the_coarse_stage_goes_down(batch: Batch) -> None:
    stage = CoarseStage(model().coarse, critic(), Objective(teacher=averages), steps=1000)
    values = [stage.update(batch, LEVEL) for _ in range(10)]
    assert values[-1]["total"] < values[0]["total"] and values[-1]["pixel"] < values[0]["pixel"]
    assert set(stage.modules()) == set(stage.optimisers()) == {"coarse", "coarse_d"}


@pytest.mark.parametrize(("late", "first"), [(0.5, 500), (0.25, 250), (0.0, 0)])
def test_identity_and_adversary_join_at_the_stated_share(batch: Batch, late: float, first: int) -> None:
    stage = CoarseStage(model().coarse, critic(), Objective(teacher=averages, late=late), steps=1000)
    joined = {"identity", "adversarial", "coarse_d"}
    if first:
        assert set(stage.update(batch, first - 1)) == {"total", "pixel", "symmetry"}
    assert set(stage.update(batch, first)) == {"total", "pixel", "symmetry"} | joined


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minus", {"pixel"}),
        ("dagger", {"pixel", "identity"}),
        ("ddagger", {"pixel", "identity", "symmetry"}),
        ("star", {"pixel", "identity", "symmetry", "adversarial"}),
        ("full", {"pixel", "identity", "symmetry", "adversarial"}),
    ],
)
def test_the_coarse_objective_has_the_terms_of_its_set(batch: Batch, name: str, expected: set[str]) -> None:
    objective = Objective(terms=LOSS_SETS[name], teacher=averages)
    preview = batch.hr * 0.8
    total, terms = coarse_objective(preview, batch, objective, Adversary(critic(), 1e-4))
    assert set(terms) == expected
    weighted = {"pixel": 1.0, "symmetry": 1.0, "identity": 0.01, "adversarial": 0.01}
    assert total.item() == pytest.approx(sum(weighted[k] * v.item() for k, v in terms.items()), rel=1e-5)
    assert "identity" not in coarse_objective(preview, batch, Objective(terms=LOSS_SETS[name]), None)[1]


def test_the_touching_up_stage_goes_down_and_leaves_the_coarse_network(batch: Batch) -> None:
    whole = model()
    before = weights(whole)
    stage = TouchUpStage(whole, steps=1000)
    values = [stage.update(batch, LEVEL) for _ in range(10)]
    assert values[-1]["total"] < values[0]["total"] and set(values[0]) == {"total", *COMPONENTS}
    assert {name.split(".")[0] for name in changed(whole, before)} == {"touchup"}
    assert set(stage.modules()) == {"touchup"}
    with torch.no_grad():
        figures, shown = stage.validate(batch), stage.preview(batch)
    assert figures["psnr_db"] > figures["before_psnr_db"]
    assert len(shown) == 3 * len(COMPONENTS)


@pytest.mark.parametrize("settings", [{}, {"touchup": False}, {"component_aware": False}])
def test_the_whole_stage_goes_down(batch: Batch, settings: dict[str, bool]) -> None:
    terms = LOSS_SETS["full"] if settings.get("component_aware", True) else LOSS_SETS["figure_6f"]
    objective = Objective(terms=terms, teacher=averages)
    stage = WholeStage(model(**settings), critic(), critic(), objective, steps=1000)
    values = [stage.update(batch, LEVEL) for _ in range(6)]
    assert values[-1]["total"] < values[0]["total"] and values[-1]["fine_pixel"] < values[0]["fine_pixel"]
    assert ("touchup" in values[0]) == settings.get("touchup", True)
    assert ("fine_structure" in values[0]) == settings.get("component_aware", True)
    assert {"coarse_pixel", "coarse_adversarial", "fine_adversarial", "coarse_d", "fine_d"} <= set(values[0])
    with torch.no_grad():
        figures, shown = stage.validate(batch), stage.preview(batch)
    assert ("structure" in figures) == settings.get("component_aware", True)
    assert {"psnr_db", "coarse_psnr_db"} <= set(figures)
    assert len(shown) == 5 and all(0 <= c.min() and c.max() <= 1 for c in shown)


def test_the_total_is_equation_12(batch: Batch) -> None:
    stage = WholeStage(model(), critic(), critic(), Objective(teacher=averages), steps=1000)
    values = stage.update(batch, LEVEL)
    parts = {name: 1.0 if name.endswith(("pixel", "symmetry")) or name == "touchup" else 0.01 for name in values}
    kept = [k for k in values if k not in ("total", "coarse_d", "fine_d")]
    assert values["total"] == pytest.approx(sum(parts[k] * values[k] for k in kept), rel=1e-5)


def test_a_frozen_coarse_network_stays_bit_for_bit(batch: Batch) -> None:
    whole = model()
    before = weights(whole)
    stage = WholeStage(whole, critic(), critic(), Objective(teacher=averages), steps=1000, freeze_coarse=True)
    for _ in range(3):
        values = stage.update(batch, LEVEL)
    assert not {name for name in changed(whole, before) if name.startswith("coarse.")}
    assert {name.split(".")[0] for name in changed(whole, before)} == {"touchup", "fine"}
    assert not any(name.startswith("coarse") for name in values)
    assert set(stage.modules()) == {"model", "fine_d"}
    assert not whole.coarse.training and whole.fine.training, "what is not trained gives what it will give in use"


def test_parts_learn_at_their_own_rates(batch: Batch) -> None:
    stage = WholeStage(model(), None, None, Objective(terms=NO_CRITICS), steps=1000, rate=1e-3)
    stage.update(batch, 100)
    share = rate_at(100, 1000)
    assert 0 < share < 1
    rates = [group["lr"] for group in stage.optimisers()["model"].param_groups]
    assert rates == pytest.approx([1e-3 * share, 1e-4 * share])


def test_true_components_make_the_prior_and_train_no_touching_up(batch: Batch) -> None:
    whole = model()
    before = weights(whole)
    stage = WholeStage(whole, None, None, Objective(terms=NO_CRITICS), steps=1000, true_components=True)
    values = stage.update(batch, LEVEL)
    assert "touchup" not in values
    assert {name.split(".")[0] for name in changed(whole, before)} == {"coarse", "fine"}
    result = stage._hallucinate(batch, jitter=0.0)
    truth = crop(batch.hr, centres_from_five(batch.five).round(), PATCH_SIZES)
    for name in COMPONENTS:
        torch.testing.assert_close(result.components[name], truth[name])
    masked_prior = stage._hallucinate(batch, jitter=0.0).prior * result.prior_mask
    torch.testing.assert_close(masked_prior, batch.hr * result.prior_mask, atol=1e-4, rtol=0)


def test_components_are_moved_at_random_in_training_and_not_at_inference(batch: Batch) -> None:
    stage = WholeStage(model(), None, None, Objective(terms=NO_CRITICS), steps=1000)
    exact = centres_from_five(batch.five).round()
    assert torch.equal(stage._hallucinate(batch, jitter=0.0).centres, exact)
    away = torch.cat([stage._hallucinate(batch, jitter=1.5).centres - exact for _ in range(8)])
    assert 0.8 < away.std() < 2.5


@pytest.mark.parametrize(
    "make",
    [
        lambda: CoarseStage(model().coarse, None, Objective(), steps=10),
        lambda: WholeStage(model(), None, critic(), Objective(), steps=10),
        lambda: WholeStage(model(), critic(), None, Objective(), steps=10),
        lambda: TouchUpStage(model(touchup=False), steps=10),
    ],
)
def test_a_stage_that_lacks_a_network_is_wrong_usage(make: Callable[[], object]) -> None:
    with pytest.raises(UsageError):
        make()


def test_without_adversaries_no_discriminator_is_needed(batch: Batch) -> None:
    objective = Objective(terms=NO_CRITICS)
    stages = (
        CoarseStage(model().coarse, None, objective, steps=10),
        WholeStage(model(), None, None, objective, steps=10),
    )
    for stage in stages:
        assert not any(name.endswith("_d") for name in stage.update(batch, 5))
        assert len(stage.modules()) == len(stage.optimisers()) == 1


def test_the_loss_between_people_is_a_share_of_the_identity_loss(batch: Batch) -> None:
    def loss(apart: float) -> float:
        torch.manual_seed(7)  # the same shaken chips
        result = Objective(teacher=averages, identification_weight=apart).identity_loss(batch.hr.flip(0), batch)
        assert result is not None
        return float(result)

    torch.manual_seed(7)
    distance, confusion = identity_losses(batch.hr.flip(0), batch.hr, batch.five, averages)
    assert loss(0.0) == pytest.approx(float(distance))
    assert loss(0.5) == pytest.approx(float(distance + 0.5 * confusion)) and float(confusion) > 0


@pytest.mark.parametrize("late", [0.0, 1.0])
def test_with_an_identity_loss_weights_are_chosen_by_what_is_trained_for_at_any_step(batch: Batch, late: float) -> None:
    objective = Objective(teacher=averages, late=late, identification_weight=0.5)
    coarse = CoarseStage(model().coarse, critic(), objective, steps=1000)
    whole = WholeStage(model(), critic(), critic(), objective, steps=1000)
    for stage in (coarse, whole):
        torch.manual_seed(5)
        with torch.no_grad():
            values = stage.validate(batch)
        mean = -values["objective"]
        pixels = 10 ** (-values["psnr_db"] / 10)  # of clipped faces; these hardly leave [0, 1]
        assert pixels * 0.9 < mean < 3, "equation 9 or 11 without the adversary: pixels and more"
    plain = Objective(terms=LOSS_SETS["minus"], teacher=averages)
    with torch.no_grad():
        assert "objective" not in CoarseStage(model().coarse, None, plain, steps=1000).validate(batch)
        torch.manual_seed(6)
        shown = coarse.validate(batch)["objective"]
        torch.manual_seed(6)
        by_hand = coarse_objective(coarse.modules()["coarse"](batch.lr), batch, objective.without_adversaries(), None)
    assert set(by_hand[1]) == {"pixel", "symmetry", "identity"} and shown == pytest.approx(-float(by_hand[0]), rel=1e-6)


def test_summed_losses_are_the_means_times_the_elements_of_a_face(batch: Batch) -> None:
    preview = torch.rand(4, 3, 128, 128)
    mean, summed = (
        coarse_objective(preview, batch, Objective(terms=NO_CRITICS, settings=VividSettings(reduction=how)), None)[1]
        for how in ("mean", "sum")
    )
    assert set(mean) == {"pixel", "symmetry"}
    for name in mean:
        torch.testing.assert_close(summed[name], 3 * 128 * 128 * mean[name])
    squares = (preview - batch.hr).square().sum((1, 2, 3)).mean()
    torch.testing.assert_close(summed["pixel"], squares)


def test_without_jitter_the_teacher_takes_the_faces_as_they_are(batch: Batch) -> None:
    fake = torch.rand(4, 3, 128, 128)
    first, second = (identity_losses(fake, batch.hr, batch.five, averages, jitter=False)[0] for _ in range(2))
    torch.testing.assert_close(first, second)
    expected = (averages(fake, batch.five) - averages(batch.hr, batch.five)).square().sum(1).mean()
    torch.testing.assert_close(first, expected)
