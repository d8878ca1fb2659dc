"""WaveletSRNet: Haar bands of the face from its LR image, all computed at the LR size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import DataError
from hallucinators.networks.presets import refuse_unknown
from hallucinators.waveletsrnet.haar import inverse, transform

LEVELS: Mapping[int, int] = MappingProxyType({16: 3, 32: 2})
"""Levels of the transform between a LR side and 128."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network.

    Attributes:
        trunk: channels of each group of residual blocks; the first is also that of the first convolution.
        blocks: blocks in each group.
        per_band: channels of a head for each band it predicts.
        widened: factor on these channels in the head's residual block.
        grouped: largest number of groups of the convolutions in a head; the paper has one for each band.
        adds_to_input: whether the bands of the enlarged LR image are added to the predicted ones.
    """

    trunk: tuple[int, ...]
    blocks: int
    per_band: int
    widened: int
    grouped: int
    adds_to_input: bool


PAPER = Sizes(trunk=(64, 128, 256, 512, 1024), blocks=2, per_band=32, widened=2, grouped=48, adds_to_input=False)
COMPACT: Mapping[int, Sizes] = MappingProxyType(
    {
        16: Sizes(trunk=(64, 96, 128), blocks=2, per_band=6, widened=1, grouped=12, adds_to_input=True),
        32: Sizes(trunk=(32, 48, 64), blocks=2, per_band=8, widened=1, grouped=3, adds_to_input=True),
    }
)


def sizes_of(preset: str, lr: int) -> Sizes:
    """Sizes by preset and LR side.

    Raises:
        UsageError: there is no such preset, or it takes no such LR faces.
    """
    refuse_unknown("waveletsrnet", preset, ("paper", "compact"), lr, LEVELS)
    return PAPER if preset == "paper" else COMPACT[lr]


class WaveletSRNet(nn.Module):
    """The network (Huang et al. 2017; layers of hhb072/WaveletSRNet, networks.py).

    A trunk of residual blocks, then one head for each level of bands: the mean, and the 3, 12 and 48 bands that each
    further level adds.
    """

    def __init__(self, *, lr: int, preset: str = "compact") -> None:
        """Build the network.

        Args:
            lr: side of the LR faces, 16 or 32.
            preset: ``paper`` or ``compact``.

        Raises:
            UsageError: another side or preset.
        """
        super().__init__()
        sizes = sizes_of(preset, lr)
        self.lr, self.levels, self._adds_to_input = lr, LEVELS[lr], sizes.adds_to_input
        first, last = sizes.trunk[0], sizes.trunk[-1]
        widths = [first, *(width for width in sizes.trunk for _ in range(sizes.blocks))]
        blocks = [_Residual(a, b) for a, b in zip(widths, widths[1:], strict=False)]
        self.trunk = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1, bias=False), nn.BatchNorm2d(first), nn.ReLU(), *blocks
        )
        counts = [1, *(3 * 4**level for level in range(self.levels))]
        self.heads = nn.ModuleList(_head(last, count, sizes) for count in counts)
        self._init_weights(small=sizes.adds_to_input)

    def forward(self, faces: Tensor) -> Tensor:
        """Super-resolve RGB (N, 3, lr, lr) in [0, 1]: float32 (N, 3, 128, 128), around [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        return inverse(self.bands(faces), self.levels)

    def bands(self, faces: Tensor) -> Tensor:
        """The bands, float32 (N, 3 * 4**levels, lr, lr), as in `haar.transform`.

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"waveletsrnet: faces are (N, 3, {self.lr}, {self.lr}), given {tuple(faces.shape)}")
        features = self.trunk(faces)
        bands = torch.cat([head(features) for head in self.heads], 1).float()
        return bands + self._bands_of_enlarged(faces) if self._adds_to_input else bands

    def _bands_of_enlarged(self, faces: Tensor) -> Tensor:
        large = F.interpolate(faces.float(), scale_factor=2**self.levels, mode="bicubic", align_corners=False)
        return transform(large, self.levels)

    def _init_weights(self, *, small: bool) -> None:
        """He's normal weights by the fan out, biases 0; with ``small`` the initial predictions are near 0."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for head in self.heads:
            if small and isinstance(head, nn.Sequential):
                last = head[-1]
                with torch.no_grad():
                    last.weight.mul_(0.1)  # type: ignore[operator]


class _Residual(nn.Module):
    """Two 3 x 3 convolutions and the input, which a 1 x 1 convolution brings to their width where it differs."""

    def __init__(
        self, inputs: int, outputs: int, *, groups: int = 1, first_groups: int = 1, project: bool = False
    ) -> None:
        super().__init__()
        plain = inputs == outputs and not project
        self.shortcut = nn.Identity() if plain else nn.Conv2d(inputs, outputs, 1, bias=False)
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1, groups=first_groups, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, groups=groups, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        inside = F.relu(self.first_norm(self.first(features)))
        return F.relu(self.second_norm(self.second(inside) + self.shortcut(features)))


def _head(inputs: int, bands: int, sizes: Sizes) -> nn.Sequential:
    """What predicts some bands: a block that gathers features for them, a residual one, the prediction."""
    groups = min(bands, sizes.grouped)
    width = sizes.per_band * bands
    wide = sizes.widened * width
    return nn.Sequential(
        _Residual(inputs, width, groups=groups, project=True),
        _Residual(width, wide, groups=groups, first_groups=groups),
        nn.Conv2d(wide, 3 * bands, 3, padding=1, groups=groups),
    )
