"""Spatial transformer: a small network that estimates a similarity from a feature map and resamples the map by it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import DataError, UsageError
from hallucinators.networks.blocks import conv, linear
from hallucinators.networks.grids import pixel_centres, transform_points

MAX_ROTATION_RAD = math.pi / 3
MAX_LOG_SCALE = math.log(2.0)
MAX_SHIFT = 0.6
"""As a share of half the side of the map: 0.3 of the side in each direction."""

_NARROW = 64
_WIDE = 96


def _localisation_8(channels: int) -> tuple[list[nn.Module], int]:
    return [conv(channels, _NARROW), nn.ReLU(), nn.MaxPool2d(2), conv(_NARROW, _NARROW, pad=0), nn.ReLU()], 2


def _localisation_16(channels: int) -> tuple[list[nn.Module], int]:
    wide = max(_WIDE, min(256, channels))
    layers: list[nn.Module] = [conv(channels, wide), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [conv(wide, _NARROW), nn.ReLU(), nn.MaxPool2d(2)]
    return [*layers, conv(_NARROW, _NARROW, pad=0), nn.ReLU()], 2


def _localisation_32(channels: int) -> tuple[list[nn.Module], int]:
    layers: list[nn.Module] = [nn.MaxPool2d(2), conv(channels, _NARROW, kernel=5, pad=0), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2), conv(_NARROW, _NARROW, kernel=5, pad=0), nn.ReLU()], 2


def _localisation_64(channels: int) -> tuple[list[nn.Module], int]:
    wide = min(128, max(32, channels // 2))
    layers: list[nn.Module] = [nn.MaxPool2d(2), conv(channels, wide, kernel=5, pad=0), nn.ReLU()]
    layers += [nn.MaxPool2d(2), conv(wide, _NARROW, kernel=5, pad=0), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2), conv(_NARROW, _NARROW, pad=0), nn.ReLU()], 3


_LOCALISATION: dict[int, Callable[[int], tuple[list[nn.Module], int]]] = {
    8: _localisation_8,
    16: _localisation_16,
    32: _localisation_32,
    64: _localisation_64,
}


class SpatialTransformer(nn.Module):
    """Resamples (N, channels, side, side) by a similarity that it estimates from the map.

    The four parameters are rotation, log-scale and shift, composed as rotation x scale x shift, so that the shift acts
    in the rotated and scaled frame; the layers are those of X. Yu's networks (XinYuANU/JFFH, stn_L*.lua: no norm,
    ReLU). Choices: the wide first layers (256 at 16, 128 at 64 there) are no wider than ``channels`` needs; the narrow
    ones have 64 channels in place of 20, since the error with 20 stays above ten pixels of 128; the initial similarity
    is the identity (there: a rotation by 1 rad); tanh limits the parameters to 60 degrees, a factor of 2 and 0.3 of the
    side, because an unbounded sampler can leave the map without a gradient back; outside, the border repeats.
    """

    def __init__(self, channels: int, side: int) -> None:
        """Build the localisation network.

        Args:
            channels: channels of the feature map.
            side: its height and width in pixels: 8, 16, 32 or 64.

        Raises:
            UsageError: there is no localisation network for that side.
        """
        super().__init__()
        if side not in _LOCALISATION:
            raise UsageError(f"spatial transformer: side is {side}; known are {sorted(_LOCALISATION)}")
        layers, left = _LOCALISATION[side](channels)
        self.features = nn.Sequential(*layers)
        self.hidden = linear(_NARROW * left * left, _NARROW)
        self.similarity = linear(_NARROW, 4, zero=True)
        self.side = side
        self.register_buffer("_places", pixel_centres(side), persistent=False)

    def theta(self, features: Tensor) -> Tensor:
        """The similarity of each map: float32 (N, 2, 3), output to input in [-1, 1] coordinates, as affine_grid's."""
        outputs = self.similarity(F.relu(self.hidden(self.features(features).flatten(1))))
        outputs = torch.tanh(outputs.float())  # float32 from here: bfloat16 would shift samples by a third of a pixel
        angle, scale = MAX_ROTATION_RAD * outputs[:, 0], torch.exp(MAX_LOG_SCALE * outputs[:, 1])
        shift_x, shift_y = MAX_SHIFT * outputs[:, 2], MAX_SHIFT * outputs[:, 3]
        cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
        row_x = torch.stack([cos, -sin, cos * shift_x - sin * shift_y], dim=1)
        row_y = torch.stack([sin, cos, sin * shift_x + cos * shift_y], dim=1)
        return torch.stack([row_x, row_y], dim=1)

    def forward(self, features: Tensor, theta: Tensor | None = None) -> Tensor:
        """Resample (N, channels, side, side), bilinear, to the same shape, by ``theta`` or by the estimate.

        Raises:
            DataError: the map has another side.
        """
        if features.shape[-2:] != (self.side, self.side):
            raise DataError(f"spatial transformer: built for side {self.side}, given {tuple(features.shape)}")
        theta = self.theta(features) if theta is None else theta
        grid = transform_points(theta, self.get_buffer("_places")).permute(0, 2, 3, 1)
        values = F.grid_sample(features.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
        return values.to(features.dtype)


def warp_enlarged(images: Tensor, theta: Tensor, side: int) -> Tensor:
    """Enlarge images (N, 3, s, s), bicubic, and resample them by similarities (N, 2, 3): float32 (N, 3, side, side)."""
    enlarged = F.interpolate(images.float(), (side, side), mode="bicubic")
    at = transform_points(theta, pixel_centres(side, images.device))
    return F.grid_sample(enlarged, at.permute(0, 2, 3, 1), padding_mode="border", align_corners=False)
