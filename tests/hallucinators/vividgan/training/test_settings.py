"""The settings of the stages from the options of a training."""

from __future__ import annotations

import pytest

from hallucinators.training.method.options import Options
from hallucinators.vividgan.training.settings import OURS, VividSettings, settings_of


def test_the_defaults_are_ours() -> None:
    assert settings_of(Options(method="vividgan")) == OURS


def test_with_resnet_50_the_identity_loss_has_the_papers_weight_and_formula_unless_given() -> None:
    settings = settings_of(Options(method="vividgan", identity="resnet50.pth"))
    assert (settings.identity_weight, settings.identification, settings.residual_scale) == (0.01, 0.0, 1.0)
    given = settings_of(Options(method="vividgan", identity="resnet50.pth", settings={"identity_weight": 0.3}))
    assert given.identity_weight == 0.3


def test_a_residual_scale_that_was_given_is_used_without_identification_too() -> None:
    settings = settings_of(Options(method="vividgan", settings={"identification": 0.0, "residual_scale": 0.7}))
    assert settings.residual_scale == 0.7


def test_a_constant_schedule_neither_rises_nor_falls() -> None:
    constant = VividSettings(schedule="constant")
    assert [constant.share_at(step, 1000) for step in (0, 500, 999)] == [1.0, 1.0, 1.0]
    assert OURS.share_at(0, 1000) < 0.01 and OURS.share_at(999, 1000) < 0.02


def test_sums_multiply_a_mean_by_the_elements_of_a_face() -> None:
    assert VividSettings(reduction="sum").factor(3 * 128 * 128) == 49152 and OURS.factor(49152) == 1


@pytest.mark.parametrize(("clip", "limit"), [(1.0, 1.0), (0.0, None)])
def test_a_clip_of_0_does_not_clip(clip: float, limit: float | None) -> None:
    assert VividSettings(clip=clip).limit == limit
