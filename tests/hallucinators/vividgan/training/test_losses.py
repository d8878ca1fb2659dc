from __future__ import annotations

import math

import pytest
import torch

from bench.errors import DataError
from hallucinators.training.steps import losses as steps
from hallucinators.vividgan.training import losses


def test_symmetry_compares_left_with_right() -> None:
    face = torch.zeros(1, 3, 2, 4)
    face[0, 0, 0, 0] = 2.0  # its flip differs at two places by 2 each
    assert losses.mirror_symmetry(face).item() == pytest.approx(8 / 24)
    assert losses.mirror_symmetry(face + face.flip(-1)).item() == 0


def test_pixel_and_identity_are_squared_distances() -> None:
    truth = torch.zeros(2, 3, 2, 2)
    instance = truth.clone()
    instance[1] = 0.5
    assert steps.pixel(instance, truth).item() == pytest.approx(0.125)
    distances = losses.feature_distances(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.zeros(2, 2))
    assert losses.identity(distances).item() == pytest.approx(5 / 2)


def test_identification_is_the_cross_entropy_of_the_own_truth() -> None:
    distances = torch.tensor([[0.0, 0.2], [0.2, 0.2]])
    expected = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    assert losses.identification(distances, 0.1).item() == pytest.approx(expected)


def test_structure_is_a_mean_over_landmarks_and_hourglasses() -> None:
    target = torch.zeros(1, 2, 2, 2)
    first, second = target.clone(), target.clone()
    first[0, 0] = 1.0  # squared distance 4 in one of two maps
    assert losses.structure([first, second], target).item() == pytest.approx((4 / 8 + 0) / 2)
    with pytest.raises(DataError, match="no heatmaps"):
        losses.structure([], target)


def test_adversarial_losses_are_binary_cross_entropy_of_the_logits() -> None:
    real, instance = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 3.0])

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    expected = -(math.log(sigmoid(2)) + math.log(sigmoid(-1))) / 2
    expected -= (math.log(1 - sigmoid(0.5)) + math.log(1 - sigmoid(3))) / 2
    assert sum(steps.discriminator_terms(real, instance)).item() == pytest.approx(expected)
    assert steps.adversarial(instance).item() == pytest.approx(-(math.log(sigmoid(0.5)) + math.log(sigmoid(3))) / 2)
    assert math.isfinite(steps.adversarial(torch.tensor([-1e4])).item())


def test_totals_weigh_their_terms() -> None:
    one, two, three, four = (torch.tensor(float(n)) for n in (1, 2, 3, 4))
    coarse = losses.coarse_total(one, symmetry=two, identity=three, adversarial=four)
    assert coarse.item() == pytest.approx(1 + 2 + 0.03 + 0.04)
    assert losses.coarse_total(one, identity=three).item() == pytest.approx(1.03)
    weights = losses.Weights(alpha1=5, psi1=5, alpha2=0.1, gamma2=0.2, psi2=0.3)
    fine = losses.fine_total(one, identity=two, structure=three, adversarial=four, weights=weights)
    assert fine.item() == pytest.approx(1 + 0.2 + 0.6 + 1.2)
    assert losses.fine_total(one).item() == 1
    touched = losses.touchup_total({"nose": two, "mouth": four})
    assert touched.item() == pytest.approx(3)
    assert losses.total(fine, touchup=touched, coarse=coarse).item() == pytest.approx(3 + 3 + 3.07)
    assert losses.total(fine, coarse=coarse).item() == pytest.approx(3 + 3.07)
    assert losses.total(fine).item() == 3


def test_the_loss_sets_of_table_3_grow_one_term_at_a_time() -> None:
    names = ["minus", "dagger", "ddagger", "star", "full"]
    added = [
        losses.LOSS_SETS[after] - losses.LOSS_SETS[before] for before, after in zip(names[:-1], names[1:], strict=True)
    ]
    assert losses.LOSS_SETS["minus"] == {"pixel", "structure"}
    assert added == [{"identity"}, {"symmetry"}, {"adversarial_coarse"}, {"adversarial_fine"}]


def test_heatmaps_peak_at_their_landmarks() -> None:
    landmarks = torch.tensor([[[1.5, 5.5], [64.0, 64.0]]])  # (1.5, 5.5) is the centre of map pixel (0, 1)
    maps = losses.target_heatmaps(landmarks)
    assert maps.shape == (1, 2, 32, 32)
    assert maps[0, 0, 1, 0].item() == 1
    assert maps[0, 0, 2, 0].item() == pytest.approx(math.exp(-0.5))
    assert maps[0, 0, 1, 2].item() == pytest.approx(math.exp(-2))
    ys, xs = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    weights = maps[0, 1] / maps[0, 1].sum()
    assert 4 * (weights * xs).sum().item() + 1.5 == pytest.approx(64.0, abs=1e-3)
    assert 4 * (weights * ys).sum().item() + 1.5 == pytest.approx(64.0, abs=1e-3)


def test_shapes_must_agree() -> None:
    with pytest.raises(DataError, match="equal shapes"):
        steps.pixel(torch.zeros(1, 3, 4, 4), torch.zeros(3, 4, 4))
