"""Split a photograph into head and background layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.faces.render.mesh import HeadMesh, topology

if TYPE_CHECKING:
    from torch import Tensor

# fractions of the canvas
_HALO = 0.1  # width of the border around the head that the background fills in
_SMOOTH = 0.03  # blur radius of the smooth texture
_RIM = 0.05  # this far inside the skull's silhouette all is head; this far outside it hair is likely
_WORK = 96  # side at which head and background are segmented, pixels
_ROUNDS = 2


class Layers(NamedTuple):
    """Four images of one photograph, float32 (1, C, F, F) in [0, 1].

    Attributes:
        head: the head, extended smoothly over the background.
        smooth: the same, blurred.
        background: the photograph, its head filled in from around it.
        replaced: (1, 1, F, F), where the background shows the filling.
    """

    head: Tensor
    smooth: Tensor
    background: Tensor
    replaced: Tensor


def split(mesh: HeadMesh, texture: Tensor, bundle: Path | None = None) -> Layers:
    """Segment head and background.

    GrabCut decides by colour: the face and the middle of the skull are head, the rim of the skull is probably head, the
    rest is probably background. Only the part above the jaw is segmented; neck and shoulders are background.

    Args:
        mesh: the head in pixels of the texture.
        texture: the photograph, float32 (1, 3, F, F) in [0, 1].
        bundle: of the canonical mesh.

    Returns:
        The layers.

    Source: Rother, Kolmogorov & Blake 2004, GrabCut.
    """
    import torch

    side = texture.shape[3]
    opaque, face = _masks(mesh, side, bundle)
    rows = torch.arange(side)[:, None].float()
    above = 1 - ((rows - float(mesh.pivot[1])) / (0.15 * side)).clamp(
        0, 1
    )  # at the ears; below, the neck is background
    reach, rim = max(1, round(_HALO * side)), round(_RIM * side)
    deep = torch.maximum(face, -_grown(-opaque, rim))
    likely = torch.maximum(opaque, _grown(opaque, rim) * above)
    head = _segmented(texture, deep, likely)
    hole = torch.maximum(_grown(opaque, max(1, reach // 3)), _grown(torch.maximum(head, opaque), reach) * above)
    kept = fill(texture, torch.maximum(-_grown(-head, 1), deep))
    smooth = _blur(kept, max(1, round(_SMOOTH * side)))
    replaced = torch.maximum(_blur(hole, max(1, reach // 2)), opaque)
    return Layers(kept, smooth, fill(texture, 1 - hole), replaced)


def _masks(mesh: HeadMesh, side: int, bundle: Path | None) -> tuple[Tensor, Tensor]:
    """Masks of the visible head and of the visible face: float32 (1, 1, F, F) of zeros and ones."""
    import torch

    from bench.faces.render.rasteriser import interpolate, rasterise

    shape = topology(bundle)
    triangles = torch.from_numpy(shape.triangles)
    raster = rasterise(torch.from_numpy(mesh.vertices)[None], triangles, side)
    alpha = interpolate(raster, triangles, torch.from_numpy(mesh.alpha)[None, :, None])
    face = (raster.triangle >= 0) & (raster.triangle < len(shape.face))
    return (alpha > 0.02).float(), face[:, None].float()


def _segmented(texture: Tensor, known: Tensor, skull: Tensor) -> Tensor:
    """The head by GrabCut: float32 (1, 1, F, F) of zeros and ones."""
    import cv2
    import torch
    from torch.nn import functional

    side = texture.shape[3]
    work = min(_WORK, side)

    def small(image: Tensor) -> NDArray[np.float32]:
        return functional.adaptive_avg_pool2d(image, work)[0].permute(1, 2, 0).numpy()

    pixels = np.rint(small(texture) * 255).astype(np.uint8)[:, :, ::-1].copy()
    sure, likely = small(known)[:, :, 0] > 0.99, small(skull)[:, :, 0] > 0.5
    labels = np.where(sure, cv2.GC_FGD, np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD)).astype(np.uint8)
    if sure.any() and not likely.all():
        cv2.setRNGSeed(0)
        cv2.grabCut(pixels, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    mask = torch.from_numpy(((labels & 1) == 1).astype(np.float32))[None, None]
    return (functional.interpolate(mask, (side, side), mode="bilinear", align_corners=False) > 0.5).float()


def _grown(mask: Tensor, radius: int) -> Tensor:
    """Largest value in a square around each pixel, one axis after the other."""
    from torch.nn import functional

    tall = functional.max_pool2d(mask, (2 * radius + 1, 1), 1, (radius, 0))
    return functional.max_pool2d(tall, (1, 2 * radius + 1), 1, (0, radius))


def _blur(image: Tensor, radius: int) -> Tensor:
    """Two passes of a box filter, one axis after the other; the box is clipped at the border."""
    from torch.nn import functional

    for _ in range(2):
        for size, pad in (((2 * radius + 1, 1), (radius, 0)), ((1, 2 * radius + 1), (0, radius))):
            image = functional.avg_pool2d(image, size, 1, pad, count_include_pad=False)
    return image


def fill(image: Tensor, known: Tensor) -> Tensor:
    """Fill unknown pixels smoothly by the push-pull pyramid.

    Args:
        image: float32 (N, C, H, W).
        known: float32 (N, 1, H, W) in [0, 1].

    Returns:
        float32 (N, C, H, W): the image where known is 1; zero everywhere if nothing is known.

    Source: Gortler et al. 1996, The lumigraph, section 3.4.
    """
    from torch.nn import functional

    height, width = image.shape[2:]
    if max(height, width) == 1:
        return image * known
    # Averages in blocks of 2 x 2, weighted by ``known``, which is summed over the block and limited to 1.
    weighted = functional.avg_pool2d(image * known, 2, ceil_mode=True, count_include_pad=False)
    weight = functional.avg_pool2d(known, 2, ceil_mode=True, count_include_pad=False)
    coarse = fill(weighted / weight.clamp(min=1e-6), (weight * 4).clamp(max=1))
    pulled = functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return image * known + pulled * (1 - known)
