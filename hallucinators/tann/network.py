"""TANN's generator: a tiny face in any pose, unaligned, to an upright frontal face of 128 x 128 pixels.

Yu, Shiri, Ghanem, Porikli: Can We See More? Joint Frontalization and Hallucination of Unaligned Tiny Faces, TPAMI 2019;
layers as in the authors' code (XinYuANU/JFFH, train_LR2HR_end2end_perception_triplet_newest.lua).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.errors import DataError
from hallucinators.networks.blocks import conv, linear, zeroed
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.transformer import warp_enlarged
from hallucinators.networks.yu.blocks import cbr, cbr_up, up
from hallucinators.networks.yu.transformer import NARROW, Kind, YuTransformer


@dataclass(frozen=True)
class Widths:
    """Channels of the network, and differences of the compact one.

    Attributes:
        encoder: channels after the convolutions at 16, 8 and 4 pixels.
        decoder: channels after those at 2, 4, 8, 16, 32, 64 and 128 pixels.
        first_narrow: channels of the narrow layers of the first spatial transformer.
        first_wide: channels of its wide first layer; None if it has none.
        wide: channels of the first layer of the transformer at 16 pixels of the decoder.
        light: at 64 and 128 pixels, convolve 3 x 3 before doubling instead of 5 x 5 after it; in the decoder, convolve
            before aligning, so that fewer channels are resampled.
        carry: add to the LR image as the first transformer aligned it, not to grey.
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


@dataclass(frozen=True)
class Hallucination:
    """Output of one pass.

    Attributes:
        image: float32 (N, 3, 128, 128), around [0, 1], not clamped.
        embedding: float (N, D), for the triplet loss.
        similarity: float32 (N, 2, 3), of the first spatial transformer.
    """

    image: Tensor
    embedding: Tensor
    similarity: Tensor


class TannNet(nn.Module):
    """TANN's generator: encoder and decoder with spatial transformers, an embedding between them, skip connections."""

    def __init__(self, *, lr: int = 16, preset: str = "compact") -> None:
        """Build the network.

        Args:
            lr: side of the LR face in pixels. The authors have 16 only; for 32 the encoder has one more level, with a
                skip connection to the decoder at 32.
            preset: ``paper`` or ``compact``.

        Raises:
            UsageError: another size or preset.
        """
        super().__init__()
        refuse_unknown("tann", preset, PRESETS, lr)
        widths = PRESETS[preset]
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
        self.decoder = Decoder(c, (c, b, a), a if lr == 32 else 0, widths)

    def forward(self, lr: Tensor) -> Tensor:
        """Hallucinate (N, 3, lr, lr) RGB in [0, 1] as float32 (N, 3, 128, 128) around [0, 1], not clamped."""
        return self.hallucinate(lr).image

    def hallucinate(self, lr: Tensor) -> Hallucination:
        """As `forward`, with all outputs of the pass.

        Raises:
            DataError: the faces have another shape.
        """
        similarity, levels = self._encode(lr)
        embedding = self._embedding(levels)
        rgb = self.decoder(embedding, levels[::-1]).float() / 2
        image = rgb + (warp_enlarged(lr, similarity, rgb.shape[-1]) if self.carry else 0.5)
        return Hallucination(image, embedding, similarity)

    def embedding(self, lr: Tensor) -> Tensor:
        """The embedding alone: (N, D)."""
        return self._embedding(self._encode(lr)[1])

    def similarity(self, lr: Tensor) -> Tensor:
        """Location of the face by the first spatial transformer: float32 (N, 2, 3), frontal frame to LR in [-1, 1]."""
        return self._first().similarity(2 * lr - 1)

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that `similarity` depends on."""
        yield from self._first().parameters()

    def _first(self) -> Level:
        level: Level = self.levels[0]  # type: ignore[assignment]  # a ModuleList knows no types
        return level

    def _encode(self, lr: Tensor) -> tuple[Tensor, list[Tensor]]:
        if lr.ndim != 4 or lr.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"tann: built for (N, 3, {self.lr}, {self.lr}), given {tuple(lr.shape)}")
        features, similarity = self._first().align_features(2 * lr - 1)
        levels = [features]
        for level in list(self.levels)[1:]:
            levels.append(level(levels[-1]))
        return similarity, levels

    def _embedding(self, levels: Sequence[Tensor]) -> Tensor:
        # flattened in channel order, whatever the memory format, as the decoder expects
        code: Tensor = self.embed(self.shrink(levels[-1]).flatten(1))
        return code


class Level(nn.Module):
    """One size of the encoder: optional pooling, convolution, alignment."""

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

    def align_features(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, for a level with a transformer, and the similarity of that."""
        convolved = self.convolve(features)
        align: YuTransformer = self.align  # type: ignore[assignment]
        theta = align.theta(convolved)
        return align(convolved, theta), theta

    def similarity(self, features: Tensor) -> Tensor:
        """The similarity of a level with a transformer."""
        align: YuTransformer = self.align  # type: ignore[assignment]
        return align.theta(self.convolve(features))


class Decoder(nn.Module):
    """Embedding to RGB, with skip connections at 4, 8 and 16 pixels (and at 32, for LR faces of 32)."""

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
        self.to_rgb = zeroed(last) if widths.carry else last

    def forward(self, embedding: Tensor, levels: Sequence[Tensor]) -> Tensor:
        """(N, D) and the encoder's features, at 4 pixels first, to (N, 3, 128, 128), around [-1, 1]."""
        features = self.at_4(self.at_2(embedding.view(-1, self.code, 2, 2)))
        larger = (self.at_8, self.at_16, self.at_32, self.at_64)
        for level, width, grow in zip((*levels, None), (*self.skips, 0), larger, strict=False):
            features = grow(torch.cat([features, level], 1) if width and level is not None else features)
        rgb: Tensor = self.to_rgb(self.at_128(features))
        return rgb


def _aligned(kind: Kind, inputs: int, outputs: int, widths: Widths) -> nn.Sequential:
    """Double, align, convolve; the light variant convolves before it aligns, so that fewer channels are resampled."""
    if widths.light:
        return nn.Sequential(up(), cbr(inputs, outputs), YuTransformer(kind, outputs, wide=widths.wide))
    return nn.Sequential(up(), YuTransformer(kind, inputs, wide=widths.wide), cbr(inputs, outputs))
