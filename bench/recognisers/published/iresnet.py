"""The residual networks of ArcFace and MagFace (iresnet), with the tensor names of their public state dicts.

Source: Deng et al. 2019, ArcFace, section 3.1 (improved residual unit: BN-Conv-BN-PReLU-Conv-BN).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from bench.errors import DataError

_CHANNELS = (64, 128, 256, 512)


class Block(nn.Module):
    """Improved residual unit; a strided one has a 1 x 1 convolution beside it."""

    def __init__(self, before: int, after: int, stride: int, eps: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before, eps)
        self.conv1 = nn.Conv2d(before, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after, eps)
        self.prelu = nn.PReLU(after)
        self.conv2 = nn.Conv2d(after, after, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after, eps)
        self.downsample = (
            nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after, eps))
            if stride != 1
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float32 (N, before, H, W) to (N, after, H / stride, W / stride)."""
        shortcut: Tensor = x if self.downsample is None else self.downsample(x)
        residual: Tensor = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return residual + shortcut


class IResNet(nn.Module):
    """Four stages of `Block`, the first of each with stride 2; then one fully connected layer."""

    def __init__(self, blocks: Sequence[int], *, eps: float) -> None:
        """Build the network.

        Args:
            blocks: number of blocks of each of the four stages.
            eps: of the normalisation layers.
        """
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64, eps)
        self.prelu = nn.PReLU(64)
        before = 64
        for stage, (count, after) in enumerate(zip(blocks, _CHANNELS, strict=True), 1):
            units = [Block(before if i == 0 else after, after, 2 if i == 0 else 1, eps) for i in range(count)]
            self.add_module(f"layer{stage}", nn.Sequential(*units))
            before = after
        self.bn2 = nn.BatchNorm2d(512, eps)
        self.fc = nn.Linear(512 * 7 * 7, 512)
        self.features = nn.BatchNorm1d(512, eps)

    def forward(self, faces: Tensor) -> Tensor:
        """Embed scaled faces: float32 (N, 3, 112, 112) to (N, 512), not normalised."""
        x = self.prelu(self.bn1(self.conv1(faces)))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        embeddings: Tensor = self.features(self.fc(self.bn2(x).flatten(1)))
        return embeddings


def blocks_of(state: Mapping[str, Tensor], origin: str) -> tuple[int, ...]:
    """Numbers of blocks of the four stages, by the names of a state dict.

    Raises:
        DataError: a stage has none.
    """
    counts = tuple(
        len({name.split(".")[1] for name in state if name.startswith(f"layer{stage}.")}) for stage in range(1, 5)
    )
    if 0 in counts:
        raise DataError(f"The weights {origin} are not those of an iresnet: tensors of layer1 to layer4 are missing.")
    return counts
