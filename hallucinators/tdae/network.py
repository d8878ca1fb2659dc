"""TDAE's three networks: a tiny face, unaligned, to 128 x 128 pixels, back to a tiny upright one, and up again.

Yu, Porikli: Hallucinating Very Low-Resolution Unaligned and Noisy Face Images by Transformative Discriminative
Autoencoders, CVPR 2017; layers as in the authors' code (XinYuANU/TDAE). For LR faces of 32 pixels, which they do not
have, each decoder lacks its first doubling and the encoder its last pooling. The pose stays as it is.

The compact preset has fewer channels, convolves before it doubles at 32 pixels and more, 3 x 3, and adds to its input:
decoders to the enlarged image (the first one as its first transformer aligned it), the encoder to the reduced image.
The first transformer follows the first convolution, at the size of the LR face, where its training is fast; the
authors' follows two more convolutions and a doubling.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.blocks import conv, zeroed
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.transformer import warp_enlarged
from hallucinators.networks.yu.blocks import cbr, cbr_up, up
from hallucinators.networks.yu.transformer import YuTransformer

PRESETS = ("paper", "compact")


class DecoderOne(nn.Module):
    """Unaligned LR face to upright face of 128 x 128 pixels, with two spatial transformers."""

    def __init__(self, *, lr: int, preset: str) -> None:
        """Build the network."""
        super().__init__()
        refuse_unknown("tdae, decoder 1", preset, PRESETS, lr)
        double = lr == 16
        self.lr, self.carry = lr, preset == "compact"
        if self.carry:
            self.before = nn.Sequential(conv(3, 32, kernel=5), nn.ReLU())
            self.align = YuTransformer("S16" if double else "S32", 32, narrow=64, wide=96)
            layers: list[nn.Module] = [conv(32, 64), nn.ReLU(), cbr(64, 96), cbr_up(96, 64) if double else cbr(96, 64)]
            layers += [cbr(64, 64), cbr_up(64, 32), YuTransformer("S64", 32, wide=32)]
            self.after = nn.Sequential(*layers, cbr_up(32, 8), zeroed(conv(8, 3, kernel=5)))
        else:
            enter = [conv(3, 64, kernel=5), nn.ReLU(), conv(64, 128), nn.ReLU(), cbr(128, 512)]
            self.before = nn.Sequential(*enter, *([up()] if double else []))
            self.align = YuTransformer("S32", 512)
            layers = [cbr(512, 256), up(), YuTransformer("S64", 256), cbr(256, 128, 5)]
            self.after = nn.Sequential(*layers, up(), cbr(128, 64, 5), conv(64, 3, kernel=5))

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, lr, lr) RGB in [0, 1] to float32 (N, 3, 128, 128) around [0, 1], not clamped."""
        return self.hallucinate(lr)[0]

    def hallucinate(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, and the similarity of the first transformer, float32 (N, 2, 3).

        Raises:
            DataError: the faces have another shape.
        """
        _check_shape("decoder 1", lr, self.lr)
        features = self.before(2 * lr - 1)
        similarity = self.align.theta(features)
        rgb = self.after(self.align(features, similarity)).float() / 2
        return rgb + (warp_enlarged(lr, similarity, SIDE) if self.carry else 0.5), similarity

    def similarity(self, lr: Tensor) -> Tensor:
        """Location of the face by the first transformer: float32 (N, 2, 3), upright frame to LR image in [-1, 1]."""
        return self.align.theta(self.before(2 * lr - 1))

    def alignment_parameters(self) -> Iterator[nn.Parameter]:
        """The parameters that `similarity` depends on."""
        yield from self.before.parameters()
        yield from self.align.parameters()


class Encoder(nn.Module):
    """Face of 128 x 128 pixels, of decoder 1, to the upright LR face it should have come from."""

    def __init__(self, *, lr: int, preset: str) -> None:
        """Build the network."""
        super().__init__()
        refuse_unknown("tdae, encoder", preset, PRESETS, lr)
        self.lr, self.carry = lr, preset == "compact"
        a, b, c, d = (8, 16, 32, 64) if self.carry else (32, 64, 128, 256)
        layers: list[nn.Module] = [cbr(3, a, 5), nn.MaxPool2d(2), cbr(a, b, 5), nn.MaxPool2d(2), cbr(b, c)]
        layers += [YuTransformer("S32", c), *([nn.MaxPool2d(2)] if lr == 16 else []), cbr(c, d)]
        layers += [YuTransformer("S16e" if lr == 16 else "S32", d)]
        last = conv(d, 3)
        self.layers = nn.Sequential(*layers, zeroed(last) if self.carry else last)

    def forward(self, faces: Tensor) -> Tensor:
        """(N, 3, 128, 128) RGB in [0, 1] to float32 (N, 3, lr, lr) around [0, 1], not clamped."""
        _check_shape("encoder", faces, SIDE)
        rgb: Tensor = self.layers(2 * faces - 1).float() / 2
        return rgb + (shrink(faces, self.lr) if self.carry else 0.5)


class DecoderTwo(nn.Module):
    """Upright LR face to 128 x 128 pixels."""

    def __init__(self, *, lr: int, preset: str) -> None:
        """Build the network."""
        super().__init__()
        refuse_unknown("tdae, decoder 2", preset, PRESETS, lr)
        double = lr == 16
        self.lr, self.carry = lr, preset == "compact"
        if self.carry:
            layers: list[nn.Module] = [cbr(3, 64, 5), cbr(64, 96), cbr(96, 96)]
            layers += [cbr_up(96, 64) if double else cbr(96, 64), cbr(64, 64), cbr_up(64, 32), cbr_up(32, 8)]
            self.layers = nn.Sequential(*layers, zeroed(conv(8, 3, kernel=5)))
        else:
            layers = [cbr(3, 512), *([up()] if double else []), cbr(512, 256), up(), cbr(256, 128, 5)]
            self.layers = nn.Sequential(*layers, up(), cbr(128, 64, 5), conv(64, 3, kernel=5))

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, lr, lr) RGB in [0, 1] to float32 (N, 3, 128, 128) around [0, 1], not clamped."""
        _check_shape("decoder 2", lr, self.lr)
        rgb: Tensor = self.layers(2 * lr - 1).float() / 2
        plain = functional.interpolate(lr.float(), (SIDE, SIDE), mode="bicubic") if self.carry else 0.5
        return rgb + plain


class TdaeNet(nn.Module):
    """The three networks."""

    def __init__(self, *, lr: int = 16, preset: str = "compact") -> None:
        """Build them.

        Args:
            lr: side of the tiny face in pixels, 16 or 32.
            preset: ``paper`` or ``compact``.

        Raises:
            UsageError: another size or preset.
        """
        super().__init__()
        self.decoder1 = DecoderOne(lr=lr, preset=preset)
        self.encoder = Encoder(lr=lr, preset=preset)
        self.decoder2 = DecoderTwo(lr=lr, preset=preset)

    def forward(self, lr: Tensor) -> Tensor:
        """Hallucinate (N, 3, lr, lr) RGB in [0, 1] as float32 (N, 3, 128, 128) around [0, 1], not clamped."""
        faces: Tensor = self.decoder2(self.aligned_lr(lr))
        return faces

    def aligned_lr(self, lr: Tensor) -> Tensor:
        """Input of decoder 2: the upright LR face, (N, 3, lr, lr) in [0, 1]."""
        small: Tensor = self.encoder(self.decoder1(lr).clamp(0, 1))
        return small.clamp(0, 1)


def shrink(faces: Tensor, side: int) -> Tensor:
    """Reduce faces (N, 3, h, w) as LR faces are, antialiased bicubic: float32 (N, 3, side, side) in [0, 1]."""
    return functional.interpolate(faces.float(), (side, side), mode="bicubic", antialias=True).clamp(0, 1)


def _check_shape(what: str, faces: Tensor, side: int) -> None:
    if faces.ndim != 4 or faces.shape[1:] != (3, side, side):
        raise DataError(f"tdae, {what}: built for (N, 3, {side}, {side}), given {tuple(faces.shape)}")
