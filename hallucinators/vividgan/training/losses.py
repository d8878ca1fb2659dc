"""The losses of VividGAN, one function for each equation of sections III-D and III-E.

Equations 4, 7 and 8, which other methods use too, are in `hallucinators.training.steps.losses`.

The paper has the expectation over faces of a sum over pixels, features or heatmap positions. Equations 3, 4, 6 and 10
are means over these here, so that a weight has the same effect at every size. The factor between sum and mean is the
number of elements of one face: 49152 for a 128 x 128 RGB image (equations 3 and 4), 1024 for a heatmap of 32 x 32
(equation 6, whose mean over landmarks is the paper's). With sums, weights of 0.01 leave the other terms four orders of
magnitude below the pixel loss. Equation 5 is a sum over features, as in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from bench.errors import DataError
from hallucinators.training.steps.losses import mean_square

Term = Literal["pixel", "symmetry", "identity", "structure", "adversarial_coarse", "adversarial_fine"]


@dataclass(frozen=True)
class Weights:
    """The trade-offs of equations 9 and 11, all 0.01 in the paper."""

    alpha1: float = 0.01
    """Identity, coarse."""
    psi1: float = 0.01
    """Adversarial, coarse."""
    alpha2: float = 0.01
    """Identity, fine."""
    gamma2: float = 0.01
    """Structure, fine."""
    psi2: float = 0.01
    """Adversarial, fine."""


_MINUS: frozenset[Term] = frozenset({"pixel", "structure"})
_DAGGER: frozenset[Term] = _MINUS | {"identity"}
_DDAGGER: frozenset[Term] = _DAGGER | {"symmetry"}
_STAR: frozenset[Term] = _DDAGGER | {"adversarial_coarse"}
_FULL: frozenset[Term] = _STAR | {"adversarial_fine"}

LOSS_SETS: Mapping[str, frozenset[Term]] = MappingProxyType(
    {
        "minus": _MINUS,  # L-: also figure 6d
        "dagger": _DAGGER,  # also figure 6e
        "ddagger": _DDAGGER,  # also figure 6g, "Vivid-FHnet": no discriminator
        "star": _STAR,  # also figure 6h, with Coarse-D
        "full": _FULL,  # L_G: also figure 6j
        "figure_6f": _FULL - {"structure"},  # for the network without the component-aware module
        "figure_6i": _DDAGGER | {"adversarial_fine"},  # with Fine-D
    }
)
"""The terms of each set: Table III by the definitions in section V-D, and two more columns of figure 6."""


def mirror_symmetry(hallucinated: Tensor) -> Tensor:
    """Equation 3: mean squared difference between faces (N, 3, h, w) and their horizontal flips."""
    return mean_square(hallucinated.flip(-1), hallucinated)


def feature_distances(hallucinated: Tensor, truth: Tensor) -> Tensor:
    """Squared Euclidean distances (N, N) between the features (N, D) of each face and those of each true face."""
    return (hallucinated[:, None] - truth).square().sum(2)


def identity(distances: Tensor) -> Tensor:
    """Equation 5: mean over faces of the squared distance to the features of the true face.

    Args:
        distances: of `feature_distances`, (N, N); row and column i belong to the same face.
    """
    return distances.diagonal().mean()


def identification(distances: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of identifying each face's truth among the truths of the batch. Not in the paper.

    Args:
        distances: of `feature_distances`, (N, N).
        temperature: the logits are the negative distances divided by it.
    """
    truth = torch.arange(len(distances), device=distances.device)
    return functional.cross_entropy(-distances / temperature, truth)


def target_heatmaps(landmarks: Tensor, *, side: int = 32, image: int = 128, sigma: float = 1.0) -> Tensor:
    """The target of equation 6: a Gaussian of height 1 at each landmark.

    The paper takes FAN's heatmaps of the truth; FAN is trained on such Gaussians.

    Args:
        landmarks: (N, K, 2) xy pixels of an image of ``image`` pixels, origin at the first pixel's centre.
        side: height and width of the maps in pixels.
        image: height and width of the image in pixels.
        sigma: standard deviation in pixels of the map.

    Returns:
        float32 (N, K, side, side) in [0, 1].
    """
    centre = (landmarks.float() + 0.5) * (side / image) - 0.5
    position = torch.arange(side, device=landmarks.device, dtype=torch.float32)
    x, y = (torch.exp(-((position - centre[..., axis, None]) ** 2) / (2 * sigma**2)) for axis in (0, 1))
    return y[..., :, None] * x[..., None, :]


def structure(predicted: Sequence[Tensor], target: Tensor) -> Tensor:
    """Equation 6: mean squared difference between heatmaps, mean over the hourglasses.

    Args:
        predicted: heatmaps (N, K, s, s) of every hourglass.
        target: heatmaps of the truth, (N, K, s, s).

    Raises:
        DataError: there are no heatmaps, or shapes differ.
    """
    if not predicted:
        raise DataError("structure loss: there are no heatmaps; a network without the component-aware module has none")
    return torch.stack([mean_square(maps, target) for maps in predicted]).mean()


def coarse_total(
    mse: Tensor,
    *,
    symmetry: Tensor | None = None,
    identity: Tensor | None = None,
    adversarial: Tensor | None = None,
    weights: Weights | None = None,
) -> Tensor:
    """Equation 9: L_mse + L_sym + alpha1 L_id + psi1 L_adv; a term of None is left out."""
    chosen = weights or Weights()
    return _weighted_sum(mse, (1.0, symmetry), (chosen.alpha1, identity), (chosen.psi1, adversarial))


def touchup_total(mse: Mapping[str, Tensor]) -> Tensor:
    """Equation 10: mean of the L_mse of the components, with equal weights."""
    if not mse:
        raise DataError("touching-up loss: there are no components")
    return torch.stack(list(mse.values())).mean()


def fine_total(
    mse: Tensor,
    *,
    identity: Tensor | None = None,
    structure: Tensor | None = None,
    adversarial: Tensor | None = None,
    weights: Weights | None = None,
) -> Tensor:
    """Equation 11: L_mse + alpha2 L_id + gamma2 L_h + psi2 L_adv; a term of None is left out."""
    chosen = weights or Weights()
    return _weighted_sum(mse, (chosen.alpha2, identity), (chosen.gamma2, structure), (chosen.psi2, adversarial))


def total(fine: Tensor, *, touchup: Tensor | None = None, coarse: Tensor | None = None) -> Tensor:
    """Equation 12: L_F + L_T + L_C; a term of None (no touching-up network, frozen coarse network) is left out."""
    return _weighted_sum(fine, (1.0, touchup), (1.0, coarse))


def _weighted_sum(first: Tensor, *others: tuple[float, Tensor | None]) -> Tensor:
    for weight, term in others:
        if term is not None:
            first = first + weight * term
    return first
