"""Batches: the same for the same step, of other faces elsewhere, and true to the picture however it is moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from bench.errors import UsageError
from bench.faces.landmarks.points import SIXTY_EIGHT
from bench.faces.pairs.pack import SIDE, Pack
from bench.faces.pairs.pairs import Jitter, random_similarity, warped
from bench.faces.render.mesh import topology
from hallucinators.training.data import augmentation as module
from hallucinators.training.data import source as drawing
from hallucinators.training.data.augmentation import MIRRORED_5, MIRRORED_68, Augmentation, make_batch
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.batch import Batch

STILL = Jitter(rotation_deg=0, shift=0, scale=(1, 1))


def plain(mirror: float = 0.0, jitter: Jitter = STILL) -> Augmentation:
    return Augmentation(recipe=jitter, mild_share=0, mirror=mirror, frontal=0)


def equal(a: Batch, b: Batch) -> bool:
    parts = [(getattr(a, field.name), getattr(b, field.name)) for field in fields(Batch)]
    return all(one is other if one is None or other is None else torch.equal(one, other) for one, other in parts)


def looked_up(images: Tensor, at: Tensor) -> Tensor:
    """Images (N, 3, 128, 128) at positions (N, 2, 32, 32) in their pixels."""
    grid = ((at + 0.5) * 2 / SIDE - 1).permute(0, 2, 3, 1)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def drawn(views: RenderedViews, column: int, augmentation: Augmentation, side: int = SIDE) -> Batch:
    rows = np.arange(len(views))
    columns = np.full(len(views), column)
    return make_batch(views, rows, columns, side, np.random.default_rng(1), augmentation, flow=True)


def test_a_batch_is_what_its_docstring_says(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    batch = PairSource(trained_on, validation_views, batch_size=3, flow=True, upright=True).batch(0)
    shapes = {f.name: tuple(getattr(batch, f.name).shape) for f in fields(Batch) if getattr(batch, f.name) is not None}
    assert shapes == {
        "lr": (3, 3, 16, 16), "hr": (3, 3, 128, 128), "landmarks": (3, 68, 2), "five": (3, 5, 2), "yaw_deg": (3,),
        "face": (3,), "flow": (3, 7, 32, 32), "upright": (3, 3, 128, 128), "similarity": (3, 2, 3),
    }  # fmt: skip
    assert {getattr(batch, name).dtype for name in shapes if name != "face"} == {torch.float32}
    assert batch.face.dtype == torch.int64 and len(batch) == 3
    assert 0 <= batch.lr.min() and batch.lr.max() <= 1 and 0 <= batch.hr.min() and batch.hr.max() <= 1
    torch.testing.assert_close(batch.lr * 255, (batch.lr * 255).round(), atol=1e-4, rtol=0)
    plain = PairSource(trained_on, validation_views, batch_size=3).batch(0)
    assert plain.flow is None and plain.upright is None and plain.similarity is None
    assert equal(batch, batch.to("cpu"))


def test_a_batch_depends_on_seed_rank_and_step_alone(
    trained_on: RenderedViews, validation_views: RenderedViews
) -> None:
    def draw_batch(step: int, **changes: int) -> Batch:
        return PairSource(trained_on, validation_views, batch_size=3, flow=True, **({"ranks": 2} | changes)).batch(step)  # type: ignore[arg-type]

    calls = PairSource(trained_on, validation_views, batch_size=3, flow=True, ranks=2)
    for step in (9, 4, 0):
        calls.batch(step)
    state = torch.get_rng_state()
    again = calls.batch(4)
    assert torch.equal(state, torch.get_rng_state()), "the thread of the batches must not disturb the training"
    assert equal(again, draw_batch(4))
    for other in (draw_batch(5), draw_batch(4, rank=1), draw_batch(4, seed=1)):
        assert not torch.equal(other.lr, again.lr)


def test_ranks_share_an_epoch_without_a_face_twice(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    sources = [PairSource(trained_on, validation_views, batch_size=3, rank=rank, ranks=2) for rank in (0, 1)]
    epochs = [
        [face for step in (2 * epoch, 2 * epoch + 1) for s in sources for face in s.batch(step).face.tolist()]
        for epoch in range(3)
    ]
    for faces in epochs:
        assert len(faces) == len(set(faces)) == 12
        assert set(faces) <= set(trained_on.faces.tolist())
    assert epochs[0] != epochs[1] != epochs[2]


def test_sides_take_turns(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    source = PairSource(trained_on, validation_views, batch_size=2, sides=(32, 16))
    assert [source.batch(step).lr.shape[-1] for step in range(4)] == [32, 16, 32, 16]
    sides = [batch.lr.shape[-1] for batch in source.held_out()]
    assert sides == sorted(sides, reverse=True) and set(sides) == {16, 32}


def test_what_is_held_out_is_fixed_and_plain(trained_on: RenderedViews, validation_views: RenderedViews) -> None:
    one = PairSource(trained_on, validation_views, batch_size=3, sides=(16, 32), flow=True, held_out_pairs=13)
    other = PairSource(
        trained_on, validation_views, batch_size=3, sides=(16, 32), flow=True, held_out_pairs=13, rank=1, ranks=2
    )
    first, second = one.held_out(), one.held_out()
    for batches in (second, other.held_out()):
        assert all(equal(a, b) for a, b in zip(first, batches, strict=True))
    assert [len(batch) for batch in first] == [3, 3, 3, 3, 1] * 2
    assert {face for batch in first for face in batch.face.tolist()} == set(validation_views.faces.tolist())
    for batch in first:
        assert set(batch.yaw_deg.abs().tolist()) <= {0, 40}, "the plan's own turns, no free ones"
        rows = [validation_views.faces.tolist().index(face) for face in batch.face.tolist()]
        torch.testing.assert_close(batch.landmarks, torch.from_numpy(validation_views.landmarks[rows]), rtol=0, atol=0)


@pytest.mark.parametrize("people", [1, 2, 3, 4])
def test_no_pair_is_held_out_twice(trained_on: RenderedViews, validation_views: RenderedViews, people: int) -> None:
    class Few:
        faces, view, facts = validation_views.faces[:people], validation_views.view, validation_views.facts
        frontal, landmarks, five, angles_deg = (
            validation_views.frontal,
            validation_views.landmarks,
            validation_views.five,
            validation_views.angles_deg,
        )

        def __len__(self) -> int:
            return people

    drawn: list[tuple[int, int]] = []

    def record(views: object, rows: Sequence[int], columns: Sequence[int], *rest: object, **named: object) -> Batch:
        drawn.extend(zip(map(int, rows), map(int, columns), strict=True))
        return None  # type: ignore[return-value]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "make_batch", record)
        PairSource(trained_on, Few(), batch_size=3).held_out()  # type: ignore[arg-type]
    assert sorted(drawn) == [(row, column) for row in range(people) for column in range(4)]


def test_the_68_and_the_5_points_swap_sides_as_the_head_does() -> None:
    mirror = topology().mirror
    for order, points in ((MIRRORED_68, SIXTY_EIGHT), (MIRRORED_5, (468, 473, 1, 61, 291))):
        assert sorted(order) == list(range(len(points)))
        assert [order[order[k]] for k in range(len(points))] == list(range(len(points)))
        for k, other in enumerate(order):
            if points[k] < 468:
                assert mirror[points[k]] == points[other], k


def test_a_mirrored_pair_is_the_pair_in_a_mirror(trained_on: RenderedViews) -> None:
    jitter = Jitter()
    straight, mirrored = (drawn(trained_on, 2, plain(mirror, jitter), 32) for mirror in (0.0, 1.0))
    assert torch.equal(mirrored.lr, straight.lr.flip(3)) and torch.equal(mirrored.hr, straight.hr.flip(3))
    assert torch.equal(mirrored.yaw_deg, -straight.yaw_deg) and torch.equal(mirrored.face, straight.face)
    for name, order in (("landmarks", MIRRORED_68), ("five", MIRRORED_5)):
        points, seen = getattr(mirrored, name), getattr(straight, name)[:, list(order)]
        torch.testing.assert_close(points[..., 0], SIDE - 1 - seen[..., 0])
        assert torch.equal(points[..., 1], seen[..., 1])
        # the drawn heads are symmetric: what was the left eye stands where the left eye of a mirrored head stands
        torch.testing.assert_close(points, getattr(straight, name), atol=2.5, rtol=0)
    assert straight.flow is not None and mirrored.flow is not None
    torch.testing.assert_close(mirrored.flow[:, 4:], straight.flow[:, 4:].flip(3))


@pytest.mark.parametrize("mirror", [0.0, 1.0])
@pytest.mark.parametrize(
    "augmentation",
    [
        plain(jitter=Jitter()),
        Augmentation(mild=Jitter(10.0, 0.06, (0.65, 1.1)), mild_share=1, stretch=0.1, surround=0, frontal=0),
        Augmentation(mild=Jitter(10.0, 0.06, (0.65, 1.1)), mild_share=1, stretch=0.1, surround=0, frontal=1),
    ],
    ids=["recipe", "mild", "frontal"],
)
def test_the_flow_leads_from_the_moved_picture_to_the_truth(
    trained_on: RenderedViews, augmentation: Augmentation, mirror: float
) -> None:
    chosen = replace(augmentation, mirror=mirror)
    batch = drawn(trained_on, 3, chosen)
    assert batch.flow is not None
    truth = functional.avg_pool2d(batch.hr, 4)
    seen = ((batch.flow[:, 4:5] > 0.95) & (batch.flow[:, 6:7] > 0.95)).expand(-1, 3, -1, -1)
    inside = ((batch.flow[:, :2] > 2) & (batch.flow[:, :2] < SIDE - 3)).all(1, keepdim=True).expand_as(seen)
    smooth = functional.avg_pool2d(functional.pad(batch.lr, (2, 2, 2, 2), mode="replicate"), 5, 1)
    still = torch.from_numpy(np.indices((32, 32))[::-1].copy()).float().expand(len(batch), 2, 32, 32) * 4 + 1.5
    psnr_db = [
        float(-10 * (looked_up(smooth, at) - truth).square()[seen & inside].mean().log10())
        for at in (batch.flow[:, :2], still, batch.flow[:, 2:4])
    ]
    assert psnr_db[0] > 28 and psnr_db[0] > max(psnr_db[1:]) + 3, psnr_db


def test_without_movement_the_lr_face_is_the_shrunken_view(trained_on: RenderedViews) -> None:
    batch = drawn(trained_on, 2, plain(), 16)
    expected = np.stack([warped(view, 16, np.eye(2, 3)) for view in trained_on.view[:, 2]])
    difference = batch.lr.permute(0, 2, 3, 1).numpy() * 255 - expected
    assert np.abs(difference).max() <= 1.01, "Pillow rounds between its two passes"


def test_the_recipe_is_that_of_the_pairs_of_the_paper(trained_on: RenderedViews) -> None:
    def parts(matrices: list[np.ndarray]) -> np.ndarray:
        result = np.stack(matrices)
        assert np.allclose(result[:, 0, 0], result[:, 1, 1]) and np.allclose(result[:, 0, 1], -result[:, 1, 0])
        centre = np.full(2, (SIDE - 1) / 2)
        shift = result[:, :, :2] @ centre + result[:, :, 2] - centre
        angle = np.rad2deg(np.arctan2(result[:, 0, 1], result[:, 0, 0]))
        return np.column_stack([angle, np.hypot(result[:, 0, 0], result[:, 0, 1]), shift])

    recipe = plain(jitter=Jitter())
    ours = parts([module.random_affine(np.random.default_rng(k), recipe, mild=False) for k in range(1000)])
    theirs = parts([random_similarity(np.random.default_rng(k), Jitter()) for k in range(1000)])
    low, high = np.array([-45, 0.8, -6.4, -6.4]), np.array([45, 1, 6.4, 6.4])
    for result in (ours, theirs):
        assert (result >= low - 1e-9).all() and (result <= high + 1e-9).all()
        np.testing.assert_allclose(result.min(0), low, atol=0.02 * (high - low).max())
        np.testing.assert_allclose(result.max(0), high, atol=0.02 * (high - low).max())
        np.testing.assert_allclose(result.mean(0), (low + high) / 2, atol=3)


def test_mild_ones_stretch_the_face_and_stay_within_their_ranges() -> None:
    mild = Augmentation(mild_share=1, mild=Jitter(rotation_deg=0, shift=0, scale=(0.65, 1.1)), stretch=0.1)
    result = np.stack([module.random_affine(np.random.default_rng(k), mild, mild=True) for k in range(500)])
    ratio, area = result[:, 0, 0] / result[:, 1, 1], result[:, 0, 0] * result[:, 1, 1]
    assert 0.9 <= ratio.min() < 0.91 and 1.09 < ratio.max() <= 1.1
    assert 0.65 <= np.sqrt(area.min()) < 0.67 and 1.08 < np.sqrt(area.max()) <= 1.1
    np.testing.assert_allclose(result[:, :, :2] @ np.full(2, 63.5) + result[:, :, 2], 63.5)


def test_the_stated_share_of_pairs_is_mild(trained_on: RenderedViews) -> None:
    shifted = Augmentation(
        recipe=STILL, mild=Jitter(rotation_deg=0, shift=0.16), mild_share=0.3, mirror=0, surround=0, frontal=0
    )
    columns = np.zeros(400, np.int64)
    batch = make_batch(trained_on, columns, columns, SIDE, np.random.default_rng(0), shifted)
    still = torch.from_numpy(trained_on.view[0, 0].copy()).permute(2, 0, 1).float() / 255
    moved = [not torch.allclose(face, still, atol=2 / 255) for face in batch.lr]
    assert np.mean(moved) == pytest.approx(0.3, abs=0.08)


def test_some_views_are_the_photograph_itself_and_turn_by_nothing(trained_on: RenderedViews) -> None:
    still = replace(plain(), frontal=1)
    batch = drawn(trained_on, 3, still)
    assert not batch.yaw_deg.any() and batch.flow is not None
    torch.testing.assert_close(batch.lr, batch.hr, atol=1e-6, rtol=0)
    axis = torch.arange(32.0) * 4 + 1.5
    assert torch.equal(batch.flow[:, 0], axis.expand(len(batch), 32, 32))
    eyes = batch.five[:, :2].mean(1)  # the line of symmetry goes through them, and they are each other's opposites
    opposite = torch.nn.functional.grid_sample(
        batch.flow[:, 2:4], ((batch.five[:, None, :2] + 0.5) * 2 / SIDE - 1), align_corners=False
    )[:, :, 0].transpose(1, 2)
    torch.testing.assert_close(opposite.mean(1), eyes, atol=1.0, rtol=0)
    assert (opposite - batch.five[:, [1, 0]]).norm(dim=2).mean() < 4


def test_some_crops_show_another_picture_around_the_face(trained_on: RenderedViews) -> None:
    small = Jitter(rotation_deg=0, shift=0, scale=(0.5, 0.5))
    wide = Augmentation(mild=small, mild_share=1, stretch=0, mirror=0, surround=1, frontal=0)
    rows, columns = np.arange(4), np.full(4, 2)
    laid = make_batch(trained_on, rows, columns, SIDE, np.random.default_rng(0), wide).lr
    bare = Augmentation(mild=small, mild_share=1, stretch=0, mirror=0, surround=0, frontal=0)
    mirrored_at_border = make_batch(trained_on, rows, columns, SIDE, np.random.default_rng(0), bare).lr
    inner = (slice(None), slice(None), slice(34, 94), slice(34, 94))
    torch.testing.assert_close(laid[inner], mirrored_at_border[inner])
    upside_down = torch.from_numpy(np.stack(trained_on.frontal)[:, ::-1].copy()).permute(0, 3, 1, 2).float() / 255
    for face in laid:
        band = (face[:, :24] - upside_down[:, :, :24]).abs().amax((1, 2, 3))
        assert band.min() < 1 / 255, "the border is a row of some other face, upside down"


def test_a_truth_is_the_photograph_of_the_pack(trained_on: RenderedViews, packed: Pack) -> None:
    batch = drawn(trained_on, 4, plain(jitter=Jitter()), 16)
    for row, index in enumerate(batch.face.tolist()):
        face, _ = packed.face(index)
        assert torch.equal(batch.hr[row], torch.from_numpy(face).permute(2, 0, 1).float() / 255)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0}, {"batch_size": 15}, {"batch_size": 8, "ranks": 2}, {"rank": 1}, {"rank": -1},
        {"sides": ()}, {"sides": (16, 1)}, {"sides": (200,)}, {"seed": -1}, {"held_out_pairs": 0},
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_are_wrong_usage(
    trained_on: RenderedViews, validation_views: RenderedViews, wrong: dict[str, object]
) -> None:
    with pytest.raises(UsageError):
        PairSource(trained_on, validation_views, **({"batch_size": 2} | wrong))  # type: ignore[arg-type]


def test_the_similarity_takes_the_upright_face_to_where_the_lr_face_shows_it(trained_on: RenderedViews) -> None:
    plain = Augmentation(mild_share=0.0, mirror=1.0, frontal=0.5)
    rows, columns = np.arange(len(trained_on)), np.zeros(len(trained_on), np.int64)
    batch = make_batch(trained_on, rows, columns, SIDE, np.random.default_rng(3), plain, upright=True)
    assert batch.upright is not None and batch.similarity is not None
    moved = np.stack(
        [
            cv2.warpAffine(
                np.ascontiguousarray(face.permute(1, 2, 0).numpy()), matrix.numpy().astype(np.float64), (SIDE, SIDE),
                flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101,
            )
            for face, matrix in zip(batch.upright, batch.similarity, strict=True)
        ]
    )  # fmt: skip
    off = np.abs(moved.transpose(0, 3, 1, 2) - batch.lr.numpy())
    assert off.mean() < 0.004 < np.abs(batch.upright.numpy() - batch.lr.numpy()).mean()


def test_faces_of_several_sets_come_equally_often_and_are_distinguished(
    trained_on: RenderedViews, validation_views: RenderedViews
) -> None:
    both = PairSource([trained_on, validation_views], validation_views, batch_size=4)
    total = len(trained_on) + len(validation_views)
    steps = total // 4
    faces = torch.cat([both.batch(step).face for step in range(steps)])
    assert len(set(faces.tolist())) == steps * 4, "a face came twice in one epoch"
    names = {int(face) for face in trained_on.faces} | {int(face) + 2**32 for face in validation_views.faces}
    assert set(faces.tolist()) <= names and len(names) == total
    assert equal(both.batch(2), both.batch(2))


def test_without_free_views_only_the_views_of_fixed_yaws_are_drawn(
    trained_on: RenderedViews, validation_views: RenderedViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed = len(trained_on.facts["facts"]["plan"]["yaws_deg"]) * 2
    assert fixed < trained_on.view.shape[1]
    columns: dict[bool, set[int]] = {True: set(), False: set()}

    def record(views: RenderedViews, rows: np.ndarray, cols: np.ndarray, *more: object, **named: object) -> Batch:
        columns[more[2].free_views].update(cols.tolist())  # type: ignore[attr-defined]
        return make_batch(views, rows, cols, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(drawing, "make_batch", record)
    for free in columns:
        source = PairSource(trained_on, validation_views, batch_size=4, augmentation=Augmentation(free_views=free))
        for step in range(40):
            source.batch(step)
    assert max(columns[False]) < fixed <= max(columns[True])
