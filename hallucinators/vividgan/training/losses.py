"""The losses of VividGAN, one function for each equation of section III-D and III-E.

Equations 4, 7 and 8, which other networks are trained by too, are in `hallucinators.training.steps.losses`.

The paper writes the expectation over faces of a sum over pixels, features or heatmap positions. Here the default is
the mean over these too, so that a weight means the same at every size; ``reduction="sum"`` is the paper's letter, the
sum for each face and the mean over the batch. The factor between the two is the number of elements of one face: 49152
for a 128 x 128 RGB image (equations 3 and 4), the length of the feature vector (5: 2048), the positions of one heatmap
(6: 1024 at 32 x 32, the mean over landmarks being in the equation). The discriminators' losses have no such sum. By
the letter, weights of 0.01 leave the other terms four orders below the pixel loss; with means they are felt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from bench.errors import DataError
from hallucinators.training.steps.losses import Reduction, squared_distance

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
"""Which terms are on: Table III by the definitions in section V-D, and the two columns of figure 6 beyond these."""


def mirror_symmetry(hallucinated: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Equation 3: squared distance of faces (N, 3, h, w) to their horizontal flips."""
    return squared_distance(hallucinated.flip(-1), hallucinated, reduction)


def identity(hallucinated: Tensor, truth: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Equation 5: squared distance of a face network's features (N, D) for the faces and for the truth."""
    return squared_distance(hallucinated, truth, reduction)


def target_heatmaps(landmarks: Tensor, *, side: int = 32, image: int = 128, sigma: float = 1.0) -> Tensor:
    """What equation 6 compares with: a Gaussian bump of height 1 at each landmark.

    The paper takes FAN's heatmaps of the truth; FAN is trained on such bumps.

    Args:
        landmarks: (N, K, 2) xy pixels of an image of ``image`` pixels, origin at the first pixel's centre.
        side: height and width of the maps in pixels.
        image: height and width of the image in pixels.
        sigma: standard deviation in pixels of the map.

    Returns:
        float32 (N, K, side, side) in [0, 1].
    """
    centre = (landmarks.float() + 0.5) * (side / image) - 0.5
    place = torch.arange(side, device=landmarks.device, dtype=torch.float32)
    x, y = (torch.exp(-((place - centre[..., axis, None]) ** 2) / (2 * sigma**2)) for axis in (0, 1))
    return y[..., :, None] * x[..., None, :]


def structure(predicted: Sequence[Tensor], target: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Equation 6: mean over landmarks of the squared distance between heatmaps, and mean over the hourglasses.

    Args:
        predicted: heatmaps (N, K, s, s) of every hourglass.
        target: those of the truth, (N, K, s, s).
        reduction: "sum" sums over the positions of each map.

    Raises:
        DataError: there are no heatmaps, or shapes differ.
    """
    if not predicted:
        raise DataError("structure loss: there are no heatmaps; a network without the component-aware module has none")
    landmarks = target.shape[1] if reduction == "sum" else 1
    return torch.stack([squared_distance(maps, target, reduction) / landmarks for maps in predicted]).mean()


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
    return _weighted(mse, (1.0, symmetry), (chosen.alpha1, identity), (chosen.psi1, adversarial))


def touchup_total(mse: Mapping[str, Tensor]) -> Tensor:
    """Equation 10: L_mse of the components; their mean, each component counting alike."""
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
    return _weighted(mse, (chosen.alpha2, identity), (chosen.gamma2, structure), (chosen.psi2, adversarial))


def total(coarse: Tensor, touchup: Tensor | None, fine: Tensor) -> Tensor:
    """Equation 12: L_C + L_T + L_F; no L_T without the touching-up network."""
    return coarse + fine if touchup is None else coarse + touchup + fine


def _weighted(first: Tensor, *others: tuple[float, Tensor | None]) -> Tensor:
    for weight, term in others:
        if term is not None:
            first = first + weight * term
    return first
