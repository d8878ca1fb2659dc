"""dlib's face recognition network as a torch module: the same numbers, in real batches and with gradients.

Source: dlib's network definition for ``dlib_face_recognition_resnet_model_v1`` (D. King), a ResNet-34 with fewer layers
and half the filters: 29 convolutions, no trained part but these and a 256 to 128 projection. Blocks: He et al. 2016.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.recognisers.networks.dlib_file import Convolution, DlibWeights, read_dlib_weights

SIDE = 150  # pixels of the chip
_SCALE = 256.0  # dlib divides by 256, not 255


class DlibNet(nn.Module):
    """The network; gradients reach its input, its weights are frozen."""

    mean: Tensor

    def __init__(self, weights: DlibWeights) -> None:
        super().__init__()
        stem, *rest = weights.convolutions
        self.stem = _conv2d(stem)
        self.blocks = nn.Sequential(*(_Residual(*rest[i : i + 2]) for i in range(0, len(rest), 2)))
        self.projection = nn.Linear(weights.projection.shape[0], weights.projection.shape[1], bias=False)
        self.projection.weight.data.copy_(torch.from_numpy(weights.projection.T.copy()))
        self.register_buffer("mean", torch.from_numpy(weights.mean).reshape(1, 3, 1, 1))
        self.requires_grad_(False)
        self.eval()

    @classmethod
    def from_file(cls, path: Path, *, sha256: str | None = None) -> DlibNet:
        """Read dlib's own file; see `read_dlib_weights` for what is raised."""
        return cls(read_dlib_weights(path, sha256=sha256))

    def forward(self, faces: Tensor) -> Tensor:
        """Embed faces.

        Args:
            faces: RGB, 0..255; float32 (N, 3, 150, 150).

        Returns:
            Embeddings, not normalised; float32 (N, 128). Euclidean distance 0.6 is dlib's threshold.
        """
        x = functional.relu(self.stem((faces - self.mean) / _SCALE))
        x = self.blocks(functional.max_pool2d(x, 3, 2))
        embeddings: Tensor = self.projection(x.mean(dim=(2, 3)))
        return embeddings


class _Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, which is halved (average) where the first one has stride 2."""

    def __init__(self, first: Convolution, second: Convolution) -> None:
        super().__init__()
        self.first, self.second = _conv2d(first), _conv2d(second)
        self.halves = first.stride == 2

    def forward(self, x: Tensor) -> Tensor:
        main = self.second(functional.relu(self.first(x)))
        return functional.relu(_add(main, functional.avg_pool2d(x, 2, 2) if self.halves else x))


def _add(main: Tensor, shortcut: Tensor) -> Tensor:
    """Add two maps that may differ in height, width and channels: the missing rows, columns, channels are zeros."""
    sizes = [max(a, b) for a, b in zip(main.shape[1:], shortcut.shape[1:], strict=True)]
    return _padded(main, sizes) + _padded(shortcut, sizes)


def _padded(x: Tensor, sizes: list[int]) -> Tensor:
    channels, height, width = (size - have for size, have in zip(sizes, x.shape[1:], strict=True))
    return functional.pad(x, (0, width, 0, height, 0, channels)) if channels or height or width else x


def _conv2d(convolution: Convolution) -> nn.Conv2d:
    filters, channels, height, width = convolution.weight.shape
    layer = nn.Conv2d(channels, filters, (height, width), convolution.stride, convolution.padding)
    layer.weight.data.copy_(torch.from_numpy(convolution.weight))
    layer.bias.data.copy_(torch.from_numpy(convolution.bias))  # type: ignore[union-attr]  # it has one by default
    return layer
