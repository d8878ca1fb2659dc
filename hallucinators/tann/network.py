"""TANN's generator: a tiny face in any pose, unaligned, to an upright frontal face of 128 x 128 pixels.

Yu, Shiri, Ghanem, Porikli: Can We See More? Joint Frontalization and Hallucination of Unaligned Tiny Faces, TPAMI 2019;
layers as in the authors' code (XinYuANU/JFFH, train_LR2HR_end2end_perception_triplet_newest.lua).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from bench.errors import DataError
from hallucinators.networks.blocks import conv, linear, silent
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.transformer import carried
from hallucinators.networks.yu.blocks import cbr, cbr_up, up
from hallucinators.networks.yu.transformer import NARROW, Kind, YuTransformer


@dataclass(frozen=True)
class Widths:
    """Channels of the network, and what the compact one does otherwise.

    Attributes:
        encoder: after the convolutions at 16, 8 and 4 pixels.
        decoder: after those at 2, 4, 8, 16, 32, 64 and 128 pixels.
        first_narrow: narrow layers of the first spatial transformer.
        first_wide: its first layer, where it has such a one.
        wide: the first layer of the transformer at 16 pixels of the decoder.
        light: convolve before doubling at 64 and 128 pixels, 3 x 3, not after it, 5 x 5; and in the decoder convolve
            before aligning, when fewer channels are left to be moved.
        carry: add to the LR picture, resampled as the first transformer aligned it, not to grey.
    """

    encoder: tuple[int, int, int] = (32, 128, 512)
    decoder: tuple[int, ...] = (256, 128, 320, 512, 256, 128, 64)
    first_narrow: int = NARROW
    first_wide: int | None = None
    wide: int | None = None
    light: bool = False
    carry: bool = False


PRESETS = {
    "paper": Widths(),
    "compact": Widths(
        encoder=(32, 96, 160),
        decoder=(128, 128, 128, 128, 64, 24, 8),
        first_narrow=64,
        first_wide=96,
        wide=32,
        light=True,
        carry=True,
    ),
}
_WITHOUT_SKIPS = (256, 128, 256, 512, 256, 128, 64)


@dataclass(frozen=True)
class Hallucination:
    """What one pass gives.

    Attributes:
        image: float32 (N, 3, 128, 128), around [0, 1], not clamped.
        embedding: float (N, D), what the triplet loss compares.
        similarity: float32 (N, 2, 3), of the first spatial transformer.
    """

    image: Tensor
    embedding: Tensor
    similarity: Tensor


class TannNet(nn.Module):
    """TANN's generator: encoder with spatial transformers to an embedding, decoder with skips and more of them."""

    def __init__(self, *, lr: int = 16, preset: str = "compact", skip: bool = True) -> None:
        """Build the network.

        Args:
            lr: side of the tiny face in pixels. The authors have 16 only; for 32 one more level stands in front, whose
                features the decoder is given at 32.
            preset: ``paper`` or ``compact``.
            skip: False builds the authors' variant whose decoder sees the embedding alone.

        Raises:
            UsageError: another size or preset.
        """
        super().__init__()
        refuse_unknown("tann", preset, PRESETS, lr)
        widths = PRESETS[preset]
        if not skip and preset == "paper":
            widths = replace(widths, decoder=_WITHOUT_SKIPS)
        a, b, c = widths.encoder
        first = {"narrow": widths.first_narrow, "wide": widths.first_wide}
        self.lr, self.carry = lr, widths.carry
        self.levels = nn.ModuleList()
        if lr == 32:
            self.levels.append(Level("S32", 3, a, first))
        self.levels.append(Level("S16", a if lr == 32 else 3, a, {} if lr == 32 else first, shrink=lr == 32))
        self.levels.append(Level("S8", a, b, {}, shrink=True))
        self.levels.append(Level(None, b, c, {}, shrink=True))
        self.shrink = nn.MaxPool2d(2)
        self.embed = linear(4 * c, 4 * c)
        self.decoder = Decoder(c, (c, b, a) if skip else (0, 0, 0), a if lr == 32 and skip else 0, widths)

    def forward(self, lr: Tensor) -> Tensor:
        """Hallucinate (N, 3, lr, lr) RGB in [0, 1] as float32 (N, 3, 128, 128) around [0, 1], not clamped."""
        return self.hallucinate(lr).image

    def hallucinate(self, lr: Tensor) -> Hallucination:
        """The same, with all that one pass gives.

        Raises:
            DataError: the faces have another shape.
        """
        similarity, levels = self._encode(lr)
        embedding = self._embedding(levels)
        rgb = self.decoder(embedding, levels[::-1]).float() / 2
        image = rgb + (carried(lr, similarity, rgb.shape[-1]) if self.carry else 0.5)
        return Hallucination(image, embedding, similarity)

    def embedding(self, lr: Tensor) -> Tensor:
        """The embedding alone: (N, D)."""
        return self._embedding(self._encode(lr)[1])

    def similarity(self, lr: Tensor) -> Tensor:
        """Where the first spatial transformer looks: float32 (N, 2, 3), frontal frame to LR picture in [-1, 1]."""
        return self._first().similarity(2 * lr - 1)

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        """What `similarity` depends on."""
        yield from self._first().parameters()

    def _first(self) -> Level:
        level: Level = self.levels[0]  # type: ignore[assignment]  # a ModuleList knows no types
        return level

    def _encode(self, lr: Tensor) -> tuple[Tensor, list[Tensor]]:
        if lr.ndim != 4 or lr.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"tann: built for (N, 3, {self.lr}, {self.lr}), given {tuple(lr.shape)}")
        features, similarity = self._first().aligned(2 * lr - 1)
        found = [features]
        for level in list(self.levels)[1:]:
            found.append(level(found[-1]))
        return similarity, found

    def _embedding(self, levels: Sequence[Tensor]) -> Tensor:
        # by channel first, whatever the memory format, so that the code has the shape the decoder takes it for
        code: Tensor = self.embed(self.shrink(levels[-1]).flatten(1))
        return code


class Level(nn.Module):
    """One size of the encoder: halved where asked, convolved, aligned."""

    def __init__(
        self, kind: Kind | None, inputs: int, outputs: int, sizes: dict[str, int | None], *, shrink: bool = False
    ) -> None:
        super().__init__()
        self.shrink = nn.MaxPool2d(2) if shrink else None
        self.convolve = cbr(inputs, outputs)
        self.align = YuTransformer(kind, outputs, **sizes) if kind else None  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h, w) or half the size."""
        convolved: Tensor = self.convolve(features if self.shrink is None else self.shrink(features))
        return convolved if self.align is None else self.align(convolved)

    def aligned(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The same of a level that aligns, and the similarity it did so by."""
        convolved = self.convolve(features)
        align: YuTransformer = self.align  # type: ignore[assignment]
        theta = align.theta(convolved)
        return align(convolved, theta), theta

    def similarity(self, features: Tensor) -> Tensor:
        """The similarity alone."""
        align: YuTransformer = self.align  # type: ignore[assignment]
        return align.theta(self.convolve(features))


class Decoder(nn.Module):
    """Embedding to RGB; at 4, 8 and 16 pixels (and 32, for LR faces of 32) it is given the encoder's features."""

    def __init__(self, code: int, skips: tuple[int, int, int], skip_32: int, widths: Widths) -> None:
        super().__init__()
        at_2, at_4, at_8, at_16, at_32, at_64, at_128 = widths.decoder
        self.code, self.skips = code, (*skips, skip_32)
        self.at_2 = cbr(code, at_2, 1)
        self.at_4 = nn.Sequential(up(), cbr(at_2, at_4))
        self.at_8 = _aligned("S8", at_4 + skips[0], at_8, widths)
        self.at_16 = _aligned("S16", at_8 + skips[1], at_16, widths)
        self.at_32 = _aligned("S32", at_16 + skips[2], at_32, widths)
        if widths.light:
            self.at_64 = cbr_up(at_32 + skip_32, at_64)
            self.at_128 = cbr_up(at_64, at_128)
        else:
            self.at_64 = nn.Sequential(up(), cbr(at_32 + skip_32, at_64, 5))
            self.at_128 = nn.Sequential(up(), cbr(at_64, at_128, 5))
        last = conv(at_128, 3, kernel=5)
        self.to_rgb = silent(last) if widths.carry else last

    def forward(self, embedding: Tensor, levels: Sequence[Tensor]) -> Tensor:
        """(N, D) and the encoder's features, at 4 pixels first, to (N, 3, 128, 128), around [-1, 1]."""
        features = self.at_4(self.at_2(embedding.view(-1, self.code, 2, 2)))
        larger = (self.at_8, self.at_16, self.at_32, self.at_64)
        for level, width, grow in zip((*levels, None), (*self.skips, 0), larger, strict=False):
            features = grow(torch.cat([features, level], 1) if width and level is not None else features)
        rgb: Tensor = self.to_rgb(self.at_128(features))
        return rgb


def _aligned(kind: Kind, inputs: int, outputs: int, widths: Widths) -> nn.Sequential:
    """Doubles, aligns and convolves; a light one convolves before it aligns, since fewer channels are left to move."""
    if widths.light:
        return nn.Sequential(up(), cbr(inputs, outputs), YuTransformer(kind, outputs, wide=widths.wide))
    return nn.Sequential(up(), YuTransformer(kind, inputs, wide=widths.wide), cbr(inputs, outputs))
