"""CBN's networks: the authors' sizes, the gate, what each stage is shown, luminance and chrominance."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from bench.errors import DataError, UsageError
from hallucinators.cbn.landmarks import Regressor, SmallRegressor
from hallucinators.cbn.network import CBN, Stage, StageSizes, enlarge

TINY = StageSizes(32, 16, 1, (4,), (4,), 0)


def parameters(*modules: nn.Module | None) -> int:
    return sum(p.numel() for module in modules if module is not None for p in module.parameters())


def stages_of(net: CBN) -> list[Stage]:
    return [cast(Stage, stage) for stage in net.stages]


def nowhere(pictures: Tensor) -> Tensor:
    return torch.full((len(pictures), 68, 2), 64.0)


def test_the_paper_preset_has_the_authors_parameters() -> None:
    with torch.device("meta"):
        first, second, third = stages_of(CBN(lr=16, preset="paper"))
        regressors = [Regressor(side, points=105) for side in (64, 128)]
    assert [parameters(first), parameters(second)] == [5_001_795, 1_461_507]
    assert parameters(third.high) == 691_777 and parameters(third.common) == 683_713
    assert third.gate is None
    assert [parameters(r) for r in regressors] == [2_753_970, 24_053_170]
    convs = [m for m in first.common if isinstance(m, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [64] * 4 + [128] * 16 + [32] * 3 + [1]


def test_from_32_pixels_the_paper_cascade_starts_at_its_second_stage() -> None:
    with torch.device("meta"):
        second, third = stages_of(CBN(lr=32, preset="paper"))
    assert parameters(second) == 1_461_507 and parameters(third.high) == 691_777


@pytest.mark.parametrize(("lr", "sides"), [(16, [32, 64, 128]), (32, [64, 128])])
def test_the_compact_preset_fits_in_four_megabytes_and_gives_all_its_stages(lr: int, sides: list[int]) -> None:
    net = CBN(lr=lr)
    assert sum(t.numel() for t in net.state_dict().values()) * 2 < 4e6
    instance = net.cascade(torch.rand(2, 3, lr, lr))
    assert [tuple(p.shape) for p in instance.pictures] == [(2, 3, side, side) for side in sides]
    assert [p.shape for p in instance.common] == [p.shape for p in instance.pictures]
    assert [tuple(p.shape) for p in instance.landmarks] == [(2, 68, 2)] * len(sides)
    assert instance.face is instance.pictures[-1]


def test_the_gate_weighs_the_two_branches_at_each_pixel() -> None:
    torch.manual_seed(0)
    stage = Stage(TINY, 3, adds_to_input=False)
    shown = [torch.rand(1, 3, 32, 32)]
    assert stage.gate is not None
    last = stage.gate[-1]
    assert isinstance(last, nn.Conv2d) and last.bias is not None
    nn.init.zeros_(last.weight)
    with torch.no_grad():
        last.bias.copy_(torch.tensor([0.0, 1.0, 0.25, 3.0]))  # of the four pixels of a place
        instance, common, _ = stage(shown, nowhere)
        last.bias.fill_(1.0)
        high = stage(shown, nowhere)[0]
    share = torch.tensor([[0.0, 1.0], [0.25, 3.0]]).repeat(16, 16)
    torch.testing.assert_close(instance, share * high + (1 - share) * common)
    assert not torch.allclose(high, common)


def test_a_stage_without_a_gate_gives_its_high_branch() -> None:
    torch.manual_seed(0)
    stage = Stage(StageSizes(32, 32, 1, (4,), (), 0), 1, adds_to_input=False)
    shown = [torch.rand(1, 1, 32, 32)]
    before = stage(shown, nowhere)[0]
    nn.init.zeros_(cast(Tensor, stage.common[0].weight))
    assert torch.equal(stage(shown, nowhere)[0], before)


def test_masks_reach_the_high_branch_and_not_the_common_one() -> None:
    torch.manual_seed(0)
    stage = Stage(TINY, 3, adds_to_input=True)
    shown = [torch.rand(1, 3, 32, 32)]
    here, there = stage(shown, nowhere), stage(shown, lambda pictures: nowhere(pictures) + 30)
    assert torch.equal(here[1], there[1]) and not torch.allclose(here[0], there[0])


def test_landmarks_pass_no_gradient_to_pictures() -> None:
    net = CBN(lr=32)
    instance = net.cascade(torch.rand(1, 3, 32, 32))
    torch.autograd.backward(instance.landmarks[-1].sum())
    assert all(p.grad is None for p in net.stages.parameters())
    assert any(p.grad is not None for p in net.regressors[-1].parameters())


def test_later_stages_see_the_earlier_picture_and_the_second_also_the_lr_face(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = CBN(lr=16)
    seen: list[list[Tensor]] = []
    run = Stage.forward

    def spy(self: Stage, shown: list[Tensor], regressor: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        seen.append(shown)
        return run(self, shown, regressor)

    monkeypatch.setattr(Stage, "forward", spy)
    faces = torch.rand(1, 3, 16, 16)
    instance = net.cascade(faces)
    expected = [
        [enlarge(faces, 32)],
        [enlarge(instance.pictures[0], 64), enlarge(faces, 64)],
        [enlarge(instance.pictures[1], 128)],
    ]
    for result, reference in zip(seen, expected, strict=True):
        assert len(result) == len(reference)
        for one, other in zip(result, reference, strict=True):
            torch.testing.assert_close(one, other)


def test_luminance_is_hallucinated_and_colour_enlarged() -> None:
    net = CBN(lr=32, preset="paper")
    faces, weights = torch.rand(1, 3, 32, 32), torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    picture = torch.rand(1, 1, 128, 128)
    instance = net._to_rgb(picture, faces)
    torch.testing.assert_close((instance * weights).sum(1, keepdim=True), picture)
    large = enlarge(faces, 128)
    torch.testing.assert_close(instance[:, 0] - instance[:, 2], large[:, 0] - large[:, 2])
    assert net.to_colours(faces).shape == (1, 1, 32, 32)


def test_first_landmarks_are_in_the_middle_of_what_a_regressor_sees() -> None:
    for regressor, picture, middle in (
        (SmallRegressor(32), torch.rand(1, 3, 32, 32), (63.5, 63.5)),
        (SmallRegressor(64), torch.rand(1, 3, 128, 128), (63.5, 63.5)),
        (Regressor(32), torch.rand(1, 1, 32, 32), (63.5, 59.5)),  # x 6 + 26, y 4 + 26 of 64
        (Regressor(128), torch.rand(1, 1, 128, 128), (63.5, 59.5)),
    ):
        nn.init.zeros_(cast(Tensor, regressor.judge[-1].weight))
        with torch.no_grad():
            torch.testing.assert_close(regressor(picture), torch.tensor(middle).expand(1, 68, 2))


def test_other_presets_sides_and_faces_are_refused() -> None:
    with pytest.raises(UsageError, match="paper, compact"):
        CBN(lr=16, preset="huge")
    with pytest.raises(UsageError, match="16 or 32"):
        CBN(lr=24)
    with pytest.raises(DataError, match="32, 32"):
        CBN(lr=32)(torch.rand(1, 3, 16, 16))
    with pytest.raises(UsageError, match="up to 128"):
        Regressor(256)


def test_the_small_regressor_sees_no_brightness_and_no_contrast() -> None:
    torch.manual_seed(0)
    regressor, picture = SmallRegressor(64).eval(), 0.3 + 0.4 * torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(regressor(picture), regressor(1.5 * picture + 0.2), atol=1, rtol=0)
        assert regressor(torch.zeros(1, 3, 64, 64)).isfinite().all()
        assert not torch.allclose(regressor(picture), regressor(picture.flip(-1)), atol=1)
