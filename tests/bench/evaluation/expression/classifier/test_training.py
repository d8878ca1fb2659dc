"""The training loop: it learns, repeats itself, balances classes and refuses what it cannot learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import DataError, UsageError
from bench.evaluation.expression.classifier import training
from bench.evaluation.expression.classifier.networks import SETTINGS, build, settings_of
from bench.evaluation.expression.classifier.plan import ClassifierPlan, classification_of
from bench.evaluation.expression.classifier.training import augment, predict, to_input, train

SIDE = SETTINGS["small"].side


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright bar, flat or upright: no mirror image or shift changes the class."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 90, (count, SIDE, SIDE, 3), np.uint8)
    targets = rng.integers(0, 2, count)
    for image, target in zip(images, targets, strict=True):
        place = int(rng.integers(10, 30))
        if target:
            image[:, place : place + 8] = 220
        else:
            image[place : place + 8] = 220
    return images, targets.astype(np.int64)


@pytest.fixture(scope="module")
def trained() -> torch.nn.Module:
    return train(*bars(32, 0), 3, ClassifierPlan(epochs=10), threads=1)


def test_a_trained_classifier_recognises_the_classes_and_gives_probabilities(trained: torch.nn.Module) -> None:
    images, targets = bars(40, 1)
    chances = predict(trained, images, ClassifierPlan(), threads=1)
    assert chances.shape == (40, 3) and chances.dtype == np.float32
    np.testing.assert_allclose(chances.sum(1), 1, atol=1e-5)
    assert (chances.argmax(1) == targets).mean() > 0.9


def test_a_prediction_does_not_depend_on_the_other_faces_of_the_batch(trained: torch.nn.Module) -> None:
    images, _ = bars(6, 2)
    whole = predict(trained, images, ClassifierPlan(), threads=1)
    single = [predict(trained, images[i : i + 1], ClassifierPlan(), threads=1)[0] for i in range(6)]
    np.testing.assert_allclose(whole, single, atol=1e-5)


def test_equal_seeds_train_equal_weights_and_folds_differ() -> None:
    data = bars(8, 3)
    plan = ClassifierPlan(epochs=1, seed=4)
    one, two, other = (train(*data, 2, plan, fold=fold, threads=1).state_dict() for fold in (0, 0, 1))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_training_does_not_change_the_global_generator() -> None:
    torch.manual_seed(9)
    before = torch.rand(3)
    torch.manual_seed(9)
    train(*bars(4, 12), 2, ClassifierPlan(epochs=1), threads=1)
    assert torch.equal(torch.rand(3), before)


def test_rare_classes_are_drawn_as_often_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.zeros((64, SIDE, SIDE, 3), np.uint8)
    images[:4] = 255  # the rare class
    seen: list[float] = []
    monkeypatch.setattr(training, "augment", lambda faces, draws: seen.extend(faces[:, 0, 0, 0].tolist()) or faces)
    targets = np.array([1] * 4 + [0] * 60, np.int64)
    train(images, targets, 2, ClassifierPlan(epochs=2), threads=1)
    assert len(seen) == 128 and 0.35 < np.mean([value == 255 for value in seen]) < 0.65


def test_a_face_is_shifted_by_itself_and_its_border_repeated() -> None:
    columns = torch.arange(SIDE, dtype=torch.uint8)[None, None, :, None].expand(50, SIDE, SIDE, 3)
    moved = augment(columns, torch.Generator().manual_seed(0))
    assert moved.shape == columns.shape and moved.dtype == torch.uint8
    centres = moved[:, 0, SIDE // 2, 0].tolist()
    assert len(set(centres)) > 5 and max(abs(c - SIDE / 2) for c in centres) <= 5
    steps = moved[:, 0, 1:, 0].int() - moved[:, 0, :-1, 0].int()
    turned = (steps <= 0).all(1)
    assert ((steps >= 0).all(1) | turned).all() and 10 < int(turned.sum()) < 40
    assert int(steps.abs().max()) == 1


def test_network_input_is_normalised_and_enlarged() -> None:
    settings = SETTINGS["vgg16"]
    grey = torch.full((2, settings.side, settings.side, 3), 255, dtype=torch.uint8)
    ready = to_input(grey, settings)
    assert ready.shape == (2, 3, 224, 224)
    expected = [(1 - mean) / std for mean, std in zip(settings.mean, settings.std, strict=True)]
    np.testing.assert_allclose(ready[0, :, 5, 5], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("images", "targets", "message"),
    [
        (np.zeros((0, SIDE, SIDE, 3), np.uint8), [], "not none|at least one"),
        (np.zeros((2, 8, 8, 3), np.uint8), [0, 1], "expected uint8"),
        (np.zeros((2, SIDE, SIDE, 3), np.float32), [0, 1], "expected uint8"),
        (np.zeros((2, SIDE, SIDE, 3), np.uint8), [0, 2], "there are 2"),
        (np.zeros((2, SIDE, SIDE, 3), np.uint8), [1, 1], "show the same expression"),
    ],
)
def test_invalid_training_faces_are_an_error(images: np.ndarray, targets: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        train(images, np.array(targets, np.int64), 2, ClassifierPlan())


def test_plans_are_checked_and_have_a_default() -> None:
    with pytest.raises(UsageError, match="epochs is -1"):
        ClassifierPlan(epochs=-1)
    assert classification_of(object()) == ClassifierPlan()
    with pytest.raises(UsageError, match="No classifier 'tiny'"):
        settings_of("tiny")  # type: ignore[arg-type]


def test_vgg16_has_a_new_last_layer_and_the_published_rest() -> None:
    with torch.device("meta"):
        network = build("vgg16", 7, None)
        assert network(torch.empty(2, 3, 224, 224)).shape == (2, 7)
    assert sum(p.numel() for p in network.parameters()) == 138_357_544 - (4097 * 1000) + 4097 * 7


def test_the_small_network_is_small() -> None:
    assert sum(p.numel() for p in build("small", 7, None).parameters()) < 500_000


def test_damaged_weights_of_vgg16_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "vgg.pth"
    path.write_bytes(b"not a torch file")
    with pytest.raises(DataError, match=r"vgg\.pth"), torch.device("meta"):
        build("vgg16", 7, path)


def test_weights_of_torchvision_s_vgg16_are_read_from_a_file_but_for_the_last_layer(tmp_path: Path) -> None:
    """Each tensor of the file is one number spread out, so the file is small and shows where its values went."""
    from torchvision.models import vgg16

    with torch.device("meta"):
        published = vgg16(weights=None).state_dict()
    numbers = {name: torch.tensor(place / 64) for place, name in enumerate(published, 1)}
    torch.save({name: number.expand(published[name].shape) for name, number in numbers.items()}, tmp_path / "vgg.pth")
    state = build("vgg16", 7, tmp_path / "vgg.pth").state_dict()
    assert list(state) == list(published)
    for name, tensor in state.items():
        if not name.startswith("classifier.6"):
            assert tensor.flatten()[0] == numbers[name] == tensor.flatten()[-1], name
    assert state["classifier.6.weight"].shape == (7, 4096) and state["classifier.6.weight"].std() > 0
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "vgg.pth")
    with pytest.raises(DataError, match=r"vgg\.pth do not fit VGG"), torch.device("meta"):
        build("vgg16", 7, tmp_path / "vgg.pth")


def test_training_works_on_a_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    network = train(*bars(32, 0), 3, ClassifierPlan(epochs=10), device="cuda")
    assert next(network.parameters()).is_cuda
    images, targets = bars(40, 1)
    assert (predict(network, images, ClassifierPlan()).argmax(1) == targets).mean() > 0.9
