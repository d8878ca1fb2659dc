"""CBN: a cascade of gated bi-networks, each with masks of the landmarks estimated from its common branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.cbn.landmarks import Regressor, SmallRegressor
from hallucinators.cbn.masks import CURVES, masks
from hallucinators.networks.presets import refuse_unknown

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class StageSizes:
    """Sizes of one stage.

    Attributes:
        side: side of its images in pixels.
        grid: side of its features; a larger image has several pixels at each position.
        pictures: number of input images: the earlier stage's, and the LR image.
        branch: channels of the convolutions of a branch, before the last.
        gate: the same of the gate; without a gate the common branch only serves to estimate landmarks.
        half: dilation of the masks in pixels of the grid.
    """

    side: int
    grid: int
    pictures: int
    branch: tuple[int, ...]
    gate: tuple[int, ...]
    half: int


@dataclass(frozen=True)
class Sizes:
    """Sizes of the cascade.

    Attributes:
        colours: 1 works on luminance, with chrominance enlarged by bicubic interpolation; 3 on RGB.
        adds_to_input: whether branches add to the enlarged image.
        stages: in order; the first has twice the LR side.
    """

    colours: int
    adds_to_input: bool
    stages: tuple[StageSizes, ...]


def _paper(many: int) -> tuple[int, ...]:
    """Channels of a branch: 4 of 64, ``many`` of 128, 3 of 32."""
    return (64,) * 4 + (128,) * many + (32,) * 3


_GATE = (64,) * 3
PAPER = (
    StageSizes(32, 32, 1, _paper(16), _GATE, 1),
    StageSizes(64, 64, 2, _paper(4), _GATE, 3),
    StageSizes(128, 128, 1, _paper(4), (), 5),
)
_LAST = StageSizes(128, 32, 1, (48,) * 4, (16,), 1)
COMPACT: Mapping[int, tuple[StageSizes, ...]] = {
    16: (
        StageSizes(32, 16, 1, (96,) * 4, (32,), 0),
        StageSizes(64, 32, 2, (48,) * 4, (16,), 1),
        _LAST,
    ),
    32: (StageSizes(64, 32, 2, (64,) * 4, (16,), 1), _LAST),
}


def sizes_of(preset: str, lr: int) -> Sizes:
    """Sizes by preset and LR side; from 32 pixels the cascade starts at its second stage.

    Raises:
        UsageError: there is no such preset, or it takes no such LR faces.
    """
    refuse_unknown("cbn", preset, ("paper", "compact"), lr)
    if preset == "compact":
        return Sizes(3, True, COMPACT[lr])
    return Sizes(1, False, PAPER if lr == 16 else PAPER[1:])


class Hallucination(NamedTuple):
    """Output of the cascade; images have its colours, one for each stage.

    Attributes:
        face: float32 RGB (N, 3, 128, 128).
        pictures: float32 (N, colours, side, side).
        common: images of the common branches, of the same sizes.
        landmarks: float32 (N, 68, 2), estimated by each stage, pixels of 128.
    """

    face: Tensor
    pictures: list[Tensor]
    common: list[Tensor]
    landmarks: list[Tensor]


class CBN(nn.Module):
    """The cascade (Zhu et al. 2016; layers of zhusz/ECCV16-CBN)."""

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
        self.lr, self.colours = lr, sizes.colours
        self.stages = nn.ModuleList(Stage(s, sizes.colours, adds_to_input=sizes.adds_to_input) for s in sizes.stages)
        self.regressors = nn.ModuleList(
            SmallRegressor(min(s.side, 64)) if preset == "compact" else Regressor(s.side) for s in sizes.stages
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Super-resolve upright RGB (N, 3, lr, lr) in [0, 1]: float32 (N, 3, 128, 128), around [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        return self.cascade(faces).face

    def cascade(self, faces: Tensor) -> Hallucination:
        """As `forward`, with the outputs of each stage.

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"cbn: faces are (N, 3, {self.lr}, {self.lr}), given {tuple(faces.shape)}")
        small = self.to_colours(faces.float())
        picture, result = small, Hallucination(faces, [], [], [])
        for stage, regressor in zip(self.stages, self.regressors, strict=True):
            sizes = cast(Stage, stage).sizes
            shown = [enlarge(part, sizes.side) for part in (picture, small)[: sizes.pictures]]
            picture, common, landmarks = stage(shown, regressor)
            result.pictures.append(picture)
            result.common.append(common)
            result.landmarks.append(landmarks)
        return result._replace(face=self._to_rgb(picture, faces))

    def to_colours(self, faces: Tensor) -> Tensor:
        """Convert RGB faces (N, 3, h, w) to the colours of the cascade: (N, colours, h, w)."""
        return faces if self.colours == 3 else _luminance(faces)

    def _to_rgb(self, picture: Tensor, faces: Tensor) -> Tensor:
        """RGB of the last picture; luminance gets the chrominance of the enlarged LR face."""
        if self.colours == 3:
            return picture
        large = enlarge(faces.float(), SIDE)
        return large + (picture - _luminance(large))  # the same value added to R, G and B keeps colour differences


class Stage(nn.Module):
    """One gated bi-network: g * high + (1 - g) * common, g unbounded."""

    def __init__(self, sizes: StageSizes, colours: int, *, adds_to_input: bool) -> None:
        """Build it.

        Args:
            sizes: how large it is.
            colours: channels of its pictures.
            adds_to_input: branches add to the enlarged image and start near 0; otherwise they output the image itself.
        """
        super().__init__()
        self.sizes, self._adds_to_input, self._colours = sizes, adds_to_input, colours
        self._ratio = sizes.side // sizes.grid
        each = self._ratio**2
        outputs, inputs, curves = colours * each, colours * each * sizes.pictures, len(CURVES)
        self.common = branch(inputs, sizes.branch, outputs, small=adds_to_input)
        self.high = branch(inputs + curves, sizes.branch, outputs, small=adds_to_input)
        self.gate = branch(2 * outputs + inputs + curves, sizes.gate, each) if sizes.gate else None

    def forward(self, shown: Sequence[Tensor], regressor: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
        """Make the picture, given pictures (N, C, side, side), the earlier stage's first.

        Returns:
            Its picture and that of the common branch, float32 (N, C, side, side); landmarks float32 (N, 68, 2), which
            are found on the latter. Neither they nor the masks pass gradients on to pictures.
        """
        seen = F.pixel_unshuffle(torch.cat(list(shown), 1), self._ratio)
        common = self.common(seen)
        plain = self._picture(common, shown[0])
        landmarks = regressor(plain.detach())
        drawn = masks(landmarks, side=self.sizes.grid, half=self.sizes.half)
        high = self.high(torch.cat([seen, drawn], 1))
        if self.gate is None:
            return self._picture(high, shown[0]), plain, landmarks
        share = self.gate(torch.cat([high, common, seen, drawn], 1)).float()
        parts = [part.float().unflatten(1, (self._colours, -1)) for part in (high, common)]
        mixed = share[:, None] * parts[0] + (1 - share[:, None]) * parts[1]
        return self._picture(mixed.flatten(1, 2), shown[0]), plain, landmarks

    def _picture(self, features: Tensor, enlarged: Tensor) -> Tensor:
        output = F.pixel_shuffle(features.float(), self._ratio)
        return output + enlarged if self._adds_to_input else output


def branch(inputs: int, channels: tuple[int, ...], outputs: int, *, small: bool = False) -> nn.Sequential:
    """3 x 3 convolutions with ReLU except after the last; Xavier's first weights, biases 0.

    Args:
        inputs: channels.
        channels: of the convolutions before the last.
        outputs: channels of the last.
        small: the last starts at a tenth, and the others with the gain of ReLU.
    """
    widths = [inputs, *channels, outputs]
    layers: list[nn.Module] = []
    for a, b in zip(widths, widths[1:], strict=False):
        conv = nn.Conv2d(a, b, 3, padding=1)
        nn.init.xavier_uniform_(conv.weight, gain=2**0.5 if small else 1.0)
        nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        layers += [conv, nn.ReLU()]
    if small:
        with torch.no_grad():
            layers[-2].weight.mul_(0.1)  # type: ignore[operator]
    return nn.Sequential(*layers[:-1])


def enlarge(pictures: Tensor, side: int) -> Tensor:
    """Bicubic interpolation to a larger side, float32."""
    return F.interpolate(pictures.float(), (side, side), mode="bicubic", align_corners=False)


def _luminance(faces: Tensor) -> Tensor:
    """Luma of RGB (N, 3, h, w) by BT.601, (N, 1, h, w)."""
    return (faces * faces.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
