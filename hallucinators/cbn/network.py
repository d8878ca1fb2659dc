"""CBN: a cascade of gated bi-networks, each with masks of the landmarks that its own common branch lets it see."""

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
    """How large one stage is.

    Attributes:
        side: of its pictures in pixels.
        grid: side of its features; a picture of more pixels gives several of them to one place.
        pictures: how many it is given, the earlier stage's, and the LR one.
        branch: channels of the convolutions of a branch, before the last.
        gate: the same of the gate; none means that the common branch only shows where the landmarks are.
        half: how far masks are dilated, in places of the grid.
    """

    side: int
    grid: int
    pictures: int
    branch: tuple[int, ...]
    gate: tuple[int, ...]
    half: int


@dataclass(frozen=True)
class Sizes:
    """How large the cascade is.

    Attributes:
        colours: 1 works on luminance, with chrominance enlarged by bicubic interpolation; 3 on RGB.
        carried: branches add to the enlarged picture.
        stages: in order; the first has twice the LR side.
    """

    colours: int
    carried: bool
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
    """What the cascade gives; pictures have its colours, one for each stage.

    Attributes:
        face: float32 RGB (N, 3, 128, 128).
        pictures: float32 (N, colours, side, side).
        common: what the common branches alone make, of the same sizes.
        landmarks: float32 (N, 68, 2) as each stage sees them, pixels of 128.
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
        self.stages = nn.ModuleList(Stage(s, sizes.colours, carried=sizes.carried) for s in sizes.stages)
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
        """The same, and what each stage makes.

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"cbn: faces are (N, 3, {self.lr}, {self.lr}), given {tuple(faces.shape)}")
        small = self.to_colours(faces.float())
        picture, found = small, Hallucination(faces, [], [], [])
        for stage, regressor in zip(self.stages, self.regressors, strict=True):
            sizes = cast(Stage, stage).sizes
            shown = [enlarged(part, sizes.side) for part in (picture, small)[: sizes.pictures]]
            picture, common, landmarks = stage(shown, regressor)
            found.pictures.append(picture)
            found.common.append(common)
            found.landmarks.append(landmarks)
        return found._replace(face=self._coloured(picture, faces))

    def to_colours(self, faces: Tensor) -> Tensor:
        """Convert RGB faces (N, 3, h, w) to the colours of the cascade: (N, colours, h, w)."""
        return faces if self.colours == 3 else _luminance(faces)

    def _coloured(self, picture: Tensor, faces: Tensor) -> Tensor:
        """RGB of the last picture; luminance gets the chrominance of the enlarged LR face."""
        if self.colours == 3:
            return picture
        large = enlarged(faces.float(), SIDE)
        return large + (picture - _luminance(large))  # the same added to R, G and B changes no colour difference


class Stage(nn.Module):
    """One gated bi-network: g * high + (1 - g) * common, g unbounded."""

    def __init__(self, sizes: StageSizes, colours: int, *, carried: bool) -> None:
        """Build it.

        Args:
            sizes: how large it is.
            colours: channels of its pictures.
            carried: branches add to the enlarged picture and start near 0; otherwise they give the picture itself.
        """
        super().__init__()
        self.sizes, self._carried, self._colours = sizes, carried, colours
        self._ratio = sizes.side // sizes.grid
        each = self._ratio**2
        made, seen, drawn = colours * each, colours * each * sizes.pictures, len(CURVES)
        self.common = branch(seen, sizes.branch, made, small=carried)
        self.high = branch(seen + drawn, sizes.branch, made, small=carried)
        self.gate = branch(2 * made + seen + drawn, sizes.gate, each) if sizes.gate else None

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
        made = F.pixel_shuffle(features.float(), self._ratio)
        return made + enlarged if self._carried else made


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


def enlarged(pictures: Tensor, side: int) -> Tensor:
    """Bicubic interpolation to a larger side, float32."""
    return F.interpolate(pictures.float(), (side, side), mode="bicubic", align_corners=False)


def _luminance(faces: Tensor) -> Tensor:
    """Luma of RGB (N, 3, h, w) by BT.601, (N, 1, h, w)."""
    return (faces * faces.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
