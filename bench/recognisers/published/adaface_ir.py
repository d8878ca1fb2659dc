"""AdaFace's residual networks (IR-18, IR-50, IR-101), with the tensor names of the public checkpoints.

Source: Kim et al. 2022, AdaFace: quality adaptive margin for face recognition.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from bench.errors import DataError

_BLOCKS = {8: (2, 2, 2, 2), 16: (3, 4, 6, 3), 24: (3, 4, 14, 3), 49: (3, 13, 30, 3)}
"""Blocks of each of the four stages, by their sum: IR-18, IR-34, IR-50, IR-101."""
_CHANNELS = (64, 128, 256, 512)


class Unit(nn.Module):
    """Residual unit BN-Conv-BN-PReLU-Conv-BN; where channels stay, the shortcut takes every ``stride``-th value."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer = (
            nn.MaxPool2d(1, stride)
            if before == after
            else nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(before),
            nn.Conv2d(before, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.PReLU(after),
            nn.Conv2d(after, after, 3, stride, 1, bias=False),
            nn.BatchNorm2d(after),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float32 (N, before, H, W) to (N, after, H / stride, W / stride)."""
        residual: Tensor = self.res_layer(x)
        shortcut: Tensor = self.shortcut_layer(x)
        return residual + shortcut


class AdaFaceIR(nn.Module):
    """Units in four stages, the first of each with stride 2; then one fully connected layer."""

    def __init__(self, units: int, origin: str = "") -> None:
        """Build the network.

        Args:
            units: sum of the units of the four stages: 8 for IR-18, 16 for IR-34, 24 for IR-50, 49 for IR-101.
            origin: file of the weights, for the error.

        Raises:
            DataError: there is no network with so many units.
        """
        super().__init__()
        if units not in _BLOCKS:
            raise DataError(
                f"The weights {origin} are not those of AdaFace's IR-18, IR-34, IR-50 or IR-101: they have {units} "
                "residual units."
            )
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        body, before = [], 64
        for count, after in zip(_BLOCKS[units], _CHANNELS, strict=True):
            body += [Unit(before if i == 0 else after, after, 2 if i == 0 else 1) for i in range(count)]
            before = after
        self.body = nn.Sequential(*body)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(0.4), nn.Flatten(), nn.Linear(512 * 7 * 7, 512),
            nn.BatchNorm1d(512, affine=False),
        )  # fmt: skip

    def forward(self, faces: Tensor) -> Tensor:
        """Embed faces.

        Args:
            faces: BGR, (x - 127.5) / 127.5 of 0..255 values; float32 (N, 3, 112, 112).

        Returns:
            Embeddings before the division by their length; float32 (N, 512).
        """
        embeddings: Tensor = self.output_layer(self.body(self.input_layer(faces)))
        return embeddings


def units_of(state: Mapping[str, Tensor]) -> int:
    """Number of residual units, by the names of a state dict."""
    return len({name.split(".")[1] for name in state if name.startswith("body.")})
