"""The spatial transformers of X. Yu's networks (TANN, TDAE), layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import nn

from bench.errors import UsageError
from hallucinators.networks.blocks import conv, linear
from hallucinators.networks.transformer import SpatialTransformer

Kind = Literal["S8", "S16", "S16e", "S32", "S64"]

NARROW = 20
"""Channels of the narrow layers in Yu's code."""


class YuTransformer(SpatialTransformer):
    """Resamples a feature map by a similarity, estimated by one of Yu's localisation networks.

    Layers are those of XinYuANU/JFFH, stn_L*.lua, and XinYuANU/TDAE, stn_*.lua, by the side of the map: ``S8``,
    ``S16``, ``S32``, ``S64``, and ``S16e`` of TDAE's encoder. Their outputs are used as in
    `SpatialTransformer`: a similarity within bounds, which starts as the identity (there without bounds, from a
    rotation by 1 rad).
    """

    def __init__(self, kind: Kind, channels: int, *, narrow: int = NARROW, wide: int | None = None) -> None:
        """Build the localisation network.

        Args:
            kind: which of them.
            channels: of the feature map.
            narrow: channels of the narrow layers; with 20 the error for tiny faces stays above ten pixels of 128.
            wide: channels of the first layer of ``S16`` (256 in Yu's code) and ``S64`` (128), which the others do
                not have; None takes Yu's.

        Raises:
            UsageError: there is no such kind.
        """
        if kind not in _KINDS:
            raise UsageError(f"spatial transformer: kind is {kind!r}; known are {', '.join(_KINDS)}")
        side, left, layers = _KINDS[kind]
        super().__init__(channels, side)
        self.features = nn.Sequential(*layers(channels, narrow, wide))
        self.hidden = linear(narrow * left * left, narrow)
        self.similarity = linear(narrow, 4, zero=True)


def _s8(channels: int, narrow: int, wide: int | None) -> list[nn.Module]:
    return [conv(channels, narrow), nn.ReLU(), nn.MaxPool2d(2), conv(narrow, narrow, pad=0), nn.ReLU()]


def _s16(channels: int, narrow: int, wide: int | None) -> list[nn.Module]:
    first = wide or 256
    return [conv(channels, first), nn.ReLU(), nn.MaxPool2d(2), *_s8(first, narrow, None)]


def _s16e(channels: int, narrow: int, wide: int | None) -> list[nn.Module]:
    layers = [conv(channels, narrow, kernel=5, pad=0), nn.ReLU(), nn.MaxPool2d(2)]
    return [*layers, conv(narrow, narrow, kernel=5, pad=0), nn.ReLU()]


def _s32(channels: int, narrow: int, wide: int | None) -> list[nn.Module]:
    return [nn.MaxPool2d(2), *_s16e(channels, narrow, None)]


def _s64(channels: int, narrow: int, wide: int | None) -> list[nn.Module]:
    first = wide or 128
    layers = [nn.MaxPool2d(2), conv(channels, first, kernel=5, pad=0), nn.ReLU()]
    layers += [nn.MaxPool2d(2), conv(first, narrow, kernel=5, pad=0), nn.ReLU()]
    return [*layers, nn.MaxPool2d(2), conv(narrow, narrow, pad=0), nn.ReLU()]


_Layers = Callable[[int, int, int | None], list[nn.Module]]
_KINDS: dict[str, tuple[int, int, _Layers]] = {
    "S8": (8, 2, _s8),
    "S16": (16, 2, _s16),
    "S16e": (16, 2, _s16e),
    "S32": (32, 2, _s32),
    "S64": (64, 3, _s64),
}
"""Side of the map, side after the convolutions, and the convolutions."""
