"""Facial components: crop them from a face by its points, paste them back, fuse overlaps.

A patch of w x h pixels around (x, y) covers columns x - w/2 to x + w/2 - 1 and rows y - h/2 to y + h/2 - 1: the centre
falls on pixel (w/2, h/2) of the patch, in cropping and in pasting. (In the authors' public code the two differ by two
pixels.) Both interpolate bilinearly between pixels; at whole-pixel centres nothing is interpolated and pasting is the
exact inverse of cropping.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.errors import DataError, UsageError

COMPONENTS = ("left_eye", "right_eye", "nose", "mouth")
"""The order of centres in tensors; left and right are those of the image."""

PatchSizes = Mapping[str, tuple[int, int]]
"""Width and height in pixels by component, multiples of 8."""

PATCH_SIZES: PatchSizes = {"left_eye": (40, 40), "right_eye": (40, 40), "nose": (40, 32), "mouth": (64, 40)}
"""Those of the authors' public code (SEU-yang/VividGAN), which are TP-GAN's, except for the mouth: 48 x 32 there, which
would cut off its corners in the frame of UTKFace, where they are 47 pixels apart."""

_CENTRES = ((37.07, 36.11), (89.16, 36.17), (62.80, 66.19), (62.99, 88.56))
"""In UTKFace's aligned crops at 128 pixels: the mean points of the frame utkface200 of `bench.align.template`."""


def template_centres() -> Tensor:
    """Centres of the components of an average face in 128 x 128 pixels: float32 (4, 2) xy."""
    return torch.tensor(_CENTRES, dtype=torch.float32)


def centres_from_five(five: Tensor) -> Tensor:
    """Centres (N, 4, 2) of the components from five points (N, 5, 2), xy pixels: eyes, nose tip, mouth corners.

    Raises:
        DataError: another shape.
    """
    if five.ndim != 3 or five.shape[1:] != (5, 2):
        raise DataError(f"component centres: five points are (N, 5, 2), given {tuple(five.shape)}")
    return torch.cat([five[:, :3], five[:, 3:].mean(dim=1, keepdim=True)], dim=1)


def check_sizes(sizes: PatchSizes) -> None:
    """Refuse sizes that the networks cannot halve three times.

    Raises:
        UsageError: a component is missing or unknown, or a side is no multiple of 8.
    """
    if set(sizes) != set(COMPONENTS):
        raise UsageError(f"patch sizes: given {sorted(sizes)}; the components are {sorted(COMPONENTS)}")
    for name, (width, height) in sizes.items():
        if width < 8 or height < 8 or width % 8 or height % 8:
            raise UsageError(f"patch sizes: {name} is {width} x {height}; both must be multiples of 8")


def crop(images: Tensor, centres: Tensor, sizes: PatchSizes = PATCH_SIZES) -> dict[str, Tensor]:
    """Crop the components; gradients reach the images.

    Args:
        images: (N, 3, H, W).
        centres: (N, 4, 2) xy pixels in the order of COMPONENTS; outside the image its border repeats.
        sizes: width and height by component.

    Returns:
        float32 (N, 3, h, w) by component.

    Raises:
        DataError: centres of another shape.
    """
    _check_centres(centres, len(images))
    height, width = images.shape[-2:]
    patches = {}
    for index, name in enumerate(COMPONENTS):
        wide, high = sizes[name]
        left, top = _corners(centres[:, index], wide, high)
        x, y = (torch.arange(n, device=centres.device) for n in (wide, high))
        patches[name] = _sample(images, left + x, top + y, width, height)
    return patches


def stitch(patches: Mapping[str, Tensor], centres: Tensor, *, side: int = 128) -> tuple[Tensor, Tensor]:
    """Paste components onto an empty template (figure 4b); where patches overlap, the maximum is taken (max-out).

    The maximum is taken only over the patches that cover a pixel, so that dark pixels stay dark. (A maximum over four
    images in [-1, 1] with zeros outside, as in the public code, makes all dark pixels grey.)

    Args:
        patches: (N, 3, h, w) by component, RGB around [0, 1].
        centres: (N, 4, 2) xy pixels; parts outside the template are dropped.
        side: height and width of the template in pixels.

    Returns:
        The prior, float32 (N, 3, side, side), zero where no patch lies; and its mask, float32 (N, 1, side, side), one
        where a patch lies.

    Raises:
        DataError: a component is missing or centres have another shape.
    """
    missing = [name for name in COMPONENTS if name not in patches]
    if missing:
        raise DataError(f"stitching needs all components; missing: {', '.join(missing)}")
    _check_centres(centres, len(patches[COMPONENTS[0]]))
    position = torch.arange(side, device=centres.device)
    first = patches[COMPONENTS[0]]
    prior = first.new_zeros(first.shape[0], 3, side, side, dtype=torch.float32)
    covered = torch.zeros_like(prior[:, :1], dtype=torch.bool)
    for index, name in enumerate(COMPONENTS):
        high, wide = patches[name].shape[-2:]
        left, top = _corners(centres[:, index], wide, high)
        x, y = position - left, position - top
        inside = (_within(x, wide)[:, None, :] & _within(y, high)[:, :, None])[:, None]
        pasted = _sample(patches[name], x, y, wide, high)
        fused = torch.where(covered, torch.maximum(prior, pasted), pasted)
        prior, covered = torch.where(inside, fused, prior), covered | inside
    return prior, covered.float()


def _check_centres(centres: Tensor, count: int) -> None:
    if centres.shape != (count, len(COMPONENTS), 2):
        raise DataError(f"component centres: {count} faces need ({count}, 4, 2), given {tuple(centres.shape)}")


def _corners(centres: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Image column and row (N, 1) of the patches' first pixel."""
    return centres[:, :1].float() - width // 2, centres[:, 1:].float() - height // 2


def _within(coordinate: Tensor, length: int) -> Tensor:
    return (coordinate >= -0.5) & (coordinate < length - 0.5)


def _sample(images: Tensor, x: Tensor, y: Tensor, width: int, height: int) -> Tensor:
    """Sample images (N, 3, height, width) at pixel columns x (N, w) and rows y (N, h): float32 (N, 3, h, w)."""
    grid_x = ((2 * x + 1) / width - 1)[:, None, :].expand(-1, y.shape[1], -1)
    grid_y = ((2 * y + 1) / height - 1)[:, :, None].expand(-1, -1, x.shape[1])
    grid = torch.stack([grid_x, grid_y], dim=-1)
    return F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
