"""The network that carries pixels: it starts by carrying the picture to where it is, and keeps its positions exact."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bench.errors import UsageError
from hallucinators.networks.grids import transform_points
from hallucinators.vividgan.network.flow import (
    GRID,
    HR,
    FlowCoarseNet,
    _Smooth,
    enlarge,
    estimate_turn_px,
    fit_location,
    limit_deformation,
    sample,
)
from hallucinators.vividgan.network.turn_limits import ALWAYS, FAR, TurnLimits

DIRECT_WEIGHT = 0.52 / (0.52 + 0.25 * 0.5 * 0.5)
"""Weight of the direct point where both visibility logits are zero."""


def fresh() -> FlowCoarseNet:
    torch.manual_seed(0)
    return FlowCoarseNet(width=12)


def awake() -> FlowCoarseNet:
    """A network in which nothing is zero, as after some training."""
    net = fresh()
    for name, parameter in net.named_parameters():
        small = name.startswith(("similarity", "flow", "refined"))
        torch.nn.init.normal_(parameter, std=0.01 if small else 0.05)
    return net


def pictures(count: int = 2, side: int = 32, seed: int = 1) -> Tensor:
    rough = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return functional.interpolate(rough, (side, side), mode="bicubic").clamp(0, 1)


def axis(side: int) -> Tensor:
    return (torch.arange(side) + 0.5) * (2 / side) - 1


def test_flows_start_as_the_identity_and_its_mirror_image() -> None:
    result = fresh()(pictures())
    x, y = axis(GRID).expand(2, GRID, GRID), axis(GRID)[:, None].expand(2, GRID, GRID)
    assert torch.equal(result.flow, torch.stack([x, y, -x, y], 1))
    assert torch.equal(result.first, result.flow)
    assert not result.visible.any() and result.visible.shape == (2, 3, GRID, GRID)


@pytest.mark.parametrize("side", [16, 32])
def test_a_symmetric_picture_is_moved_to_where_it_is_before_any_training(side: int) -> None:
    lr = pictures(side=side)
    lr = (lr + lr.flip(3)) / 2
    result = fresh()(lr)
    assert torch.equal(result.coarse, result.warped), "the residual starts at 0"
    assert result.warped.shape == (2, 3, HR, HR)
    grid = lr if side == GRID else functional.interpolate(lr, (GRID, GRID), mode="bicubic")
    bicubic = functional.interpolate(grid, (HR, HR), mode="bicubic")
    torch.testing.assert_close(result.warped[..., 2:-2, 2:-2], bicubic[..., 2:-2, 2:-2], atol=1e-5, rtol=0)
    assert (result.warped - bicubic).abs().max() < 0.1, "at the border the enlarged flow ends two pixels early"


def test_the_own_place_outweighs_the_opposite_one_before_any_training() -> None:
    lr = pictures()
    bicubic = functional.interpolate(lr, (HR, HR), mode="bicubic")
    mixed = DIRECT_WEIGHT * bicubic + (1 - DIRECT_WEIGHT) * bicubic.flip(3)
    torch.testing.assert_close(fresh()(lr).warped[..., 2:-2, 2:-2], mixed[..., 2:-2, 2:-2], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("direct", "opposite", "weight"), [(9.0, 9.0, 1.0), (9.0, -9.0, 1.0), (-9.0, 9.0, 0.074)])
def test_what_is_hidden_is_taken_from_the_other_side(direct: float, opposite: float, weight: float) -> None:
    net, lr = fresh(), pictures()
    flow = net(lr).flow
    seen = torch.tensor([direct, opposite, 0.0])[:, None, None].expand(2, 3, GRID, GRID)
    warped_image = net._warp(lr, flow, seen, GRID)
    torch.testing.assert_close(warped_image, weight * lr + (1 - weight) * lr.flip(3), atol=2e-3, rtol=0)


def test_geometry_alone_is_what_the_whole_pass_finds() -> None:
    net = awake()
    for side in (16, 32):
        lr = pictures(side=side)
        whole = net(lr)
        flow, first, seen, warped_image = net.geometry_only(lr)
        assert torch.equal(flow, whole.flow) and torch.equal(first, whole.first) and torch.equal(seen, whole.visible)
        assert warped_image.shape == (2, 3, 64, 64)
        small = functional.avg_pool2d(whole.warped, 2)
        assert (warped_image - small).abs().mean() < 0.02 < (warped_image - small.flip(3)).abs().mean()


def test_a_face_does_not_depend_on_the_others_of_its_batch() -> None:
    net, lr = awake(), pictures(3)
    together, alone = net(lr), net(lr[1:2])
    for name in ("coarse", "warped", "flow", "first", "visible"):
        torch.testing.assert_close(getattr(together, name)[1:2], getattr(alone, name), atol=1e-5, rtol=1e-4)
    assert (together.coarse[0] - together.coarse[1]).abs().max() > 0.01


@pytest.mark.parametrize("size", [(12, 12), (16, 16), (20, 20), (36, 36), (16, 32), (24, 32)])
def test_every_small_size_is_taken(size: tuple[int, int]) -> None:
    result = awake()(torch.rand(1, 3, *size))
    assert result.coarse.shape == (1, 3, HR, HR) and result.flow.shape == (1, 4, GRID, GRID)
    assert result.coarse.isfinite().all()


def test_gradients_reach_every_weight_and_the_picture() -> None:
    net, lr = awake(), pictures().requires_grad_()
    result = net(lr)
    torch.autograd.backward(
        result.coarse.square().mean() + result.first.square().mean() + result.visible.square().mean()
    )
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all() and parameter.grad.any(), name
    assert lr.grad is not None and lr.grad.any()


def test_the_first_step_of_a_fresh_network_moves_positions_and_residual() -> None:
    net = fresh()
    torch.autograd.backward((net(pictures()).coarse - pictures(seed=2, side=HR)).square().mean())
    for layer in (net.similarity, net.flow, net.refined, net.paint):
        assert layer.weight.grad is not None and layer.weight.grad.any()


def test_under_bfloat16_positions_stay_exact() -> None:
    net, lr = fresh(), pictures()
    turn = torch.tensor([0.013, 0.21, 0.0421, -0.21, 0.0107, -0.0333])
    with torch.no_grad():
        net.similarity.bias.copy_(turn)
        exact = net(lr)
        with torch.autocast("cpu", torch.bfloat16):
            result = net(lr)
    assert result.flow.dtype == result.coarse.dtype == result.warped.dtype == torch.float32
    # what is left is the rounding of six numbers; places in bfloat16 would be 0.002 off
    torch.testing.assert_close(result.flow, exact.flow, atol=4e-4, rtol=0)


def test_bfloat16_gives_nearly_the_same_face_and_gradients() -> None:
    net, lr = awake(), pictures()
    with torch.autocast("cpu", torch.bfloat16):
        result = net(lr)
    torch.testing.assert_close(result.coarse, net(lr).coarse, atol=0.05, rtol=0)
    torch.autograd.backward(result.coarse.mean())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_sampling_reads_pixel_centres_and_keeps_the_type() -> None:
    values = torch.arange(8.0).reshape(1, 1, 2, 4)
    at = torch.tensor([[-0.75, 0.75, 0.0, -3.0], [-0.5, 0.5, 0.0, -0.5]]).reshape(1, 2, 1, 4)
    assert sample(values, at).flatten().tolist() == [0.0, 7.0, 3.5, 0.0]
    assert sample(values.bfloat16(), at).dtype == torch.bfloat16


def test_masks_do_not_overshoot_when_enlarged() -> None:
    step = torch.zeros(1, 2, 4, 4)
    step[..., 2:] = 1
    large = enlarge(step, 16)
    assert large.min() == 0 and large.max() == 1
    assert enlarge(step, 4) is step
    assert enlarge(step[:, :1].expand(1, 3, 4, 4), 16).min() < 0, "pictures are enlarged bicubically"


@pytest.mark.parametrize("width", [0, 3, 50])
def test_a_width_that_cannot_be_halved_twice_is_wrong_usage(width: int) -> None:
    with pytest.raises(UsageError, match=f"width is {width}"):
        FlowCoarseNet(width=width)


def test_the_filter_after_a_pixel_shuffle_takes_a_chequerboard_out_and_leaves_flat_colour_alone() -> None:
    board = torch.tensor([1.0, -1.0]).repeat(8)[None, :] * torch.tensor([1.0, -1.0]).repeat(8)[:, None]
    result = _Smooth()(board[None, None])
    assert result.shape == (1, 1, 16, 16) and result[..., 1:-1, 1:-1].abs().max() < 1e-6
    flat = torch.full((1, 2, 8, 8), 0.3)
    torch.testing.assert_close(_Smooth()(flat), flat)
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    torch.testing.assert_close(_Smooth()(ramp)[..., 1:-1], ramp[..., 1:-1])


def similar(flow: torch.Tensor, seen: torch.Tensor, frame: torch.Tensor) -> torch.Tensor:
    """Where the similarity nearest to a flow puts the points."""
    return transform_points(fit_location(flow, seen, frame), frame)


def test_a_flow_that_is_a_similarity_is_left_alone() -> None:
    frame = fresh().frame
    moved = torch.stack([0.8 * frame[0] - 0.3 * frame[1] + 0.1, 0.3 * frame[0] + 0.8 * frame[1] - 0.2])[None]
    flow = torch.cat([moved, moved.flip(3)], 1)
    result = limit_deformation(flow, similar(flow, torch.zeros(1, 3, GRID, GRID), frame), torch.zeros(1))
    torch.testing.assert_close(result, flow, atol=1e-5, rtol=0)


def test_small_bends_are_taken_back_and_a_turn_is_not() -> None:
    frame, seen = fresh().frame, torch.zeros(1, 3, GRID, GRID)
    bent = torch.stack([frame[0] ** 3 - 0.6 * frame[0], 0 * frame[1]])[None]  # no similarity explains it
    bent = bent / bent.square().sum(1).mean().sqrt() / 64  # one pixel of 128
    place = frame[None, :2]
    for pixels, share in ((1.0, 0.3), (2.9, 0.3), (4.5, 0.65), (20.0, 1.0)):
        flow = torch.cat([place + pixels * bent, place], 1)
        near = similar(flow, seen, frame)
        result = limit_deformation(
            flow, near, ALWAYS.deformation_scale_at(ALWAYS.turned_share(estimate_turn_px(flow, seen, near)))
        )
        left = (result[:, :2] - place).square().sum(1).mean().sqrt() * 64
        assert float(left) == pytest.approx(share * pixels, rel=0.12, abs=0.05), pixels
        assert torch.equal(result[:, 2:], flow[:, 2:])


def test_a_head_counts_as_turned_by_how_far_it_lies_between_two_bounds() -> None:
    pixels = torch.tensor([0.0, 3.0, 4.5, 6.0, 8.0, 10.0, 16.0, 25.0])
    assert ALWAYS.turned_share(pixels).tolist() == pytest.approx([0, 0, 0.5, 1, 1, 1, 1, 1])
    assert FAR.turned_share(pixels).tolist() == pytest.approx([0, 0, 0, 0, 0, 0.25, 1, 1])


@pytest.mark.parametrize(("side", "kept"), [(12, 0.7), (16, 0.7), (24, 0.55), (32, 0.4), (36, 0.4)])
def test_the_residual_scale_of_frontal_heads_falls_with_the_size(side: int, kept: float) -> None:
    limits = TurnLimits(8.0, 16.0, 0.0, (0.7, 0.4))
    result = limits.residual_scale_at(torch.tensor([0.0, 0.5, 1.0]), torch.zeros(3, 3, side, side))
    assert result.tolist() == pytest.approx([kept, (1 + kept) / 2, 1.0])


def test_the_residual_of_the_shipped_weights_is_not_scaled() -> None:
    for limits in (ALWAYS, FAR):
        assert limits.residual_scale_at(torch.zeros(1), torch.zeros(1, 3, 16, 16)).item() == 1


@pytest.mark.parametrize(("bend", "kept"), [(0.0, 0.0), (0.4, 0.4), (1.0, 1.0)])
def test_the_limits_scale_the_deformation_of_heads_that_are_not_turned(bend: float, kept: float) -> None:
    net, lr = awake().eval(), pictures(1)
    with torch.no_grad():
        net.limits = TurnLimits(1e3, 2e3, bend, (1.0, 1.0))
        result = net(lr)
        near = similar(result.flow, result.visible, net.frame)
        taken = torch.cat([near + kept * (result.flow[:, :2] - near), result.flow[:, 2:]], 1)
        torch.testing.assert_close(result.warped, net._warp(lr, taken, result.visible, HR), atol=1e-5, rtol=0)
        net.limits = TurnLimits(-2.0, -1.0, bend, (1.0, 1.0))  # every head is turned
        whole = net(lr)
        torch.testing.assert_close(whole.warped, net._warp(lr, whole.flow, whole.visible, HR), atol=1e-5, rtol=0)
        assert (whole.warped - result.warped).abs().max() > 1e-3 or kept == 1


def test_the_residual_of_a_frontal_head_is_scaled_in_inference_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, lr = awake(), pictures(3)
    net.limits = TurnLimits(3.0, 6.0, 0.3, (0.7, 0.7))
    monkeypatch.setattr(
        "hallucinators.vividgan.network.flow.estimate_turn_px", lambda *_: torch.tensor([2.0, 4.5, 9.0])
    )
    with torch.no_grad():
        training, used = net.train()(lr), net.eval()(lr)
    assert torch.equal(training.warped, used.warped)
    residual, scaled = training.coarse - training.warped, used.coarse - used.warped
    assert residual.abs().max() > 0.01
    torch.testing.assert_close(
        scaled, residual * torch.tensor([0.7, 0.85, 1.0])[:, None, None, None], atol=1e-6, rtol=1e-4
    )


def test_how_much_a_head_is_turned_does_not_depend_on_where_and_how_large_it_is() -> None:
    frame, seen = fresh().frame, torch.zeros(1, 3, GRID, GRID)
    bent = torch.stack([frame[0] ** 3 - 0.6 * frame[0], 0 * frame[1]])[None]
    bent_grid = frame[None, :2] + 4.5 / 64 * bent / bent.square().sum(1).mean().sqrt()
    small = 0.4 * bent_grid + 0.3
    flows = [torch.cat([place, place], 1) for place in (bent_grid, small)]
    result = [float(estimate_turn_px(flow, seen, similar(flow, seen, frame))) for flow in flows]
    assert result[0] == pytest.approx(4.5, abs=0.3) and result[1] == pytest.approx(result[0], abs=0.03)


def test_a_deeper_network_starts_with_the_faces_of_the_one_it_is_made_from() -> None:
    network = awake().eval()
    deep = network.deepened(6).eval()
    assert len(list(deep.parameters())) > len(list(network.parameters()))
    with torch.no_grad():
        assert torch.equal(deep(pictures()).coarse, network(pictures()).coarse)
        again = deep.deepened(9).eval()
        assert torch.equal(again(pictures()).coarse, network(pictures()).coarse)


def test_depth_is_a_multiple_of_3_and_never_falls() -> None:
    with pytest.raises(UsageError, match="depth is 4; it must be 0 or a multiple of 3"):
        FlowCoarseNet(width=12, depth=4)
    with pytest.raises(UsageError, match="depth is 63; .* at most 60"):
        FlowCoarseNet(width=12, depth=63)
    with pytest.raises(UsageError, match="depth is 3; the network to start from has 6"):
        FlowCoarseNet(width=12, depth=6).deepened(3)
