"""CBN's landmark regressors: the 68 landmarks, in pixels of 128, of a hallucinated image of any size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import UsageError
from bench.faces.pairs.pack import SIDE

POINTS = 68


class Regressor(nn.Module):
    """The authors' regressor: six convolutions without padding, two poolings, two fully connected layers.

    Its input is a crop of the grey image: 52 x 52 of 64 x 64 from (6, 4), or 104 x 104 of 128 x 128 from (12, 8).
    Smaller images are enlarged to 64. Positions are fractions of the crop.
    """

    def __init__(self, side: int, *, points: int = POINTS) -> None:
        """Build it.

        Args:
            side: of the pictures.
            points: number of landmarks; the authors have 105.

        Raises:
            UsageError: a side of more than 128.
        """
        super().__init__()
        if side > SIDE:
            raise UsageError(f"cbn: landmarks are estimated on images of up to {SIDE} pixels, not {side}")
        self._side = 64 if side <= 64 else SIDE
        self._unit = self._side // 64
        self._crop = 52 * self._unit
        layers: list[nn.Module] = []
        for a, b in ((1, 32), (32, 64), (64, 128)):
            layers += [nn.Conv2d(a, b, 3), nn.ReLU(), nn.Conv2d(b, b, 3), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        left = self._crop
        for _ in range(2):
            left = (left - 4 + 1) // 2
        left -= 4
        self.features = nn.Sequential(*layers[:-1])
        self.judge = nn.Sequential(nn.Linear(128 * left**2, 512), nn.ReLU(), nn.Linear(512, 2 * points))
        _init_weights(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """Landmarks float32 (N, points, 2), xy pixels of 128, of grey pictures (N, 1, side, side)."""
        if pictures.shape[-1] != self._side:
            pictures = F.interpolate(pictures.float(), (self._side,) * 2, mode="bicubic", align_corners=False)
        x, y = 6 * self._unit, 4 * self._unit
        crop = pictures[:, :, y : y + self._crop, x : x + self._crop]
        at: Tensor = self.judge(self.features(crop).flatten(1)).float().view(len(crop), -1, 2)
        return (at * self._crop + at.new_tensor([x, y])) * (SIDE / self._side) - 0.5


class SmallRegressor(nn.Module):
    """Strided convolutions down to 4 x 4 and two fully connected layers, on the whole RGB image.

    The image is normalised to mean 0 and deviation 1, and convolutions have batch norm: without these its output after
    450 steps is the average face (an error of 19 pixels on people left out, against 6.6).
    """

    def __init__(self, side: int, *, points: int = POINTS) -> None:
        """Build it for pictures that are shrunk to ``side``, 32 or 64."""
        super().__init__()
        self._side = side
        widths = (3, 16, 32, 64, 64) if side == 64 else (3, 32, 64, 64)
        layers: list[nn.Module] = []
        for a, b in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Linear(16 * widths[-1], 96), nn.ReLU(), nn.Linear(96, 2 * points))
        _init_weights(self)

    def forward(self, pictures: Tensor) -> Tensor:
        """Landmarks float32 (N, points, 2), xy pixels of 128, of RGB pictures (N, 3, h, h), h of ``side`` or more."""
        small = F.adaptive_avg_pool2d(pictures.float(), self._side)
        at: Tensor = self.judge(self.features(_normalise(small)).flatten(1)).float().view(len(pictures), -1, 2)
        return at * SIDE - 0.5


def _normalise(pictures: Tensor) -> Tensor:
    """Mean 0 in each colour, deviation near 1 over all; the added 0.005 keeps uniform images small."""
    away = pictures - pictures.mean((2, 3), keepdim=True)
    return away / (away.square().mean((1, 2, 3), keepdim=True).sqrt() + 0.005)


def _init_weights(net: Regressor | SmallRegressor) -> None:
    """He's normal weights; first landmarks near the middle."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    last = net.judge[-1]
    with torch.no_grad():
        last.weight.mul_(0.1)  # type: ignore[operator]
        last.bias.fill_(0.5)  # type: ignore[operator]
