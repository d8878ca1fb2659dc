"""CycleGAN's networks: two generators, PatchGAN discriminators, and the pool of generated faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from bench.errors import DataError
from hallucinators.networks.presets import refuse_unknown


@dataclass(frozen=True)
class Widths:
    """Sizes of the networks of a preset.

    Attributes:
        first: channels after the first convolution, of 7 x 7.
        inner: channels after each of the halvings that follow.
        blocks: residual blocks at the smallest size.
        stride: of the first convolution; 2 leaves out the largest maps.
        carry: whether a generator adds a residual to its input, and enlarges maps by bilinear interpolation: with
            transposed convolutions the residual starts with a chequerboard and, with this budget, keeps it.
        normed: whether instance norm follows each of its convolutions, or only the first of each block.
        critic: channels of the discriminator's 4 x 4 convolutions, the first three with stride 2.
    """

    first: int
    inner: tuple[int, ...]
    blocks: int
    stride: int
    carry: bool
    normed: bool
    critic: tuple[int, ...]


PRESETS: Mapping[str, Widths] = MappingProxyType(
    {
        "paper": Widths(64, (128, 256), 6, 1, False, True, (64, 128, 256, 512)),  # the paper's for 128 pixels
        "paper-9": Widths(64, (128, 256), 9, 1, False, True, (64, 128, 256, 512)),  # and for 256 and more
        # for training on processors
        "compact": Widths(12, (48,), 3, 2, True, False, (16, 32, 64, 64)),
    }
)


class Generator(nn.Module):
    """The residual generator (ResNet-6, ResNet-9): instance norm without parameters, reflected borders."""

    def __init__(self, preset: str = "paper") -> None:
        """Build the network.

        Args:
            preset: sizes by name.

        Raises:
            UsageError: an unknown preset.
        """
        super().__init__()
        refuse_unknown("cyclegan", preset, PRESETS)
        widths = PRESETS[preset]
        self.carry = widths.carry
        body: list[nn.Module] = [nn.Conv2d(3, widths.first, 7, widths.stride, 3, padding_mode="reflect")]
        body += _active(widths.first, normed=widths.normed)
        before = widths.first
        for after in widths.inner:
            body += [nn.Conv2d(before, after, 3, 2, 1), *_active(after, normed=widths.normed)]
            before = after
        body += [_Block(before, normed=widths.normed) for _ in range(widths.blocks)]
        for after in (*widths.inner[-2::-1], widths.first):
            body += [*_doubling(before, after, even=widths.carry), *_active(after, normed=widths.normed)]
            before = after
        if widths.stride == 1:
            body.append(nn.Conv2d(before, 3, 7, padding=3, padding_mode="reflect"))
        else:
            body += [
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                nn.Conv2d(before, 3, 3, padding=1),
            ]
        self.body = nn.Sequential(*body, nn.Tanh())
        _init_weights(self)
        if not widths.normed:
            for module in self.body[:-2].modules():  # without norms, N(0, 0.02) makes the signal vanish
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, faces: Tensor) -> Tensor:
        """Faces of the other kind, float32 RGB around [0, 1], of (N, 3, 128, 128) in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, 128, 128):
            raise DataError(f"cyclegan: faces are (N, 3, 128, 128), given {tuple(faces.shape)}")
        output: Tensor = self.body(2 * faces - 1).float()
        return faces + output / 2 if self.carry else (output + 1) / 2


class Adapter(nn.Module):
    """Both generators, the content of a weight file."""

    def __init__(self, preset: str = "paper") -> None:
        """Build them; see `Generator`."""
        super().__init__()
        self.to_gallery, self.to_hallucinated = Generator(preset), Generator(preset)


class PatchCritic(nn.Module):
    """The PatchGAN discriminator: one answer for each patch of 70 x 70 pixels."""

    def __init__(self, preset: str = "paper") -> None:
        """Build the network; raises UsageError at an unknown preset."""
        super().__init__()
        body: list[nn.Module] = []
        before = 3
        refuse_unknown("cyclegan", preset, PRESETS)
        for place, after in enumerate(PRESETS[preset].critic):
            body.append(nn.Conv2d(before, after, 4, 2 if place < 3 else 1, 1))
            body += [nn.InstanceNorm2d(after)] if place else []
            body.append(nn.LeakyReLU(0.2))
            before = after
        self.body = nn.Sequential(*body, nn.Conv2d(before, 1, 4, 1, 1))
        _init_weights(self)

    def forward(self, faces: Tensor) -> Tensor:
        """Answers float32 (N, 1, 14, 14), near 1 for real, of (N, 3, 128, 128) RGB around [0, 1]."""
        answers: Tensor = self.body(2 * faces - 1)
        return answers.float()


class Pool(nn.Module):
    """Faces generated in earlier steps, which the discriminator is shown again.

    They are buffers, so that they are in checkpoints and a resumed run has the same ones. Each process has its own
    pool; a resumed run starts all of them from the pool of the first process.
    """

    images: Tensor
    count: Tensor

    def __init__(self, size: int = 50, side: int = 128) -> None:
        """Build an empty pool.

        Args:
            size: number of faces.
            side: height and width of the faces in pixels.
        """
        super().__init__()
        self.size = size
        self.register_buffer("images", torch.zeros(size, 3, side, side, dtype=torch.float16))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def exchange(self, faces: Tensor) -> Tensor:
        """Store faces (N, 3, h, w) and return as many.

        While the pool is not full, the faces themselves; then each is exchanged for one of the pool with probability
        one half. Random numbers are from torch's default generator.
        """
        result = faces.detach().float().clone()
        draw, index = torch.rand(len(faces)), torch.randint(self.size, (len(faces),))
        for row in range(len(faces)):
            stored = int(self.count)
            if stored < self.size:
                self.images[stored] = result[row].to(self.images)
                self.count += 1
            elif draw[row] > 0.5:
                earlier = self.images[index[row]].float()
                self.images[index[row]] = result[row].to(self.images)
                result[row] = earlier
        return result


class _Block(nn.Module):
    """x + IN(conv(ReLU(IN(conv(x))))), the second norm where all are."""

    def __init__(self, channels: int, *, normed: bool) -> None:
        super().__init__()
        body: list[nn.Module] = [nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")]
        body += [*_active(channels, normed=True), nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect")]
        self.body = nn.Sequential(*body, *([nn.InstanceNorm2d(channels)] if normed else []))

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.body(x)
        return x + branch


def _active(channels: int, *, normed: bool) -> list[nn.Module]:
    return [nn.InstanceNorm2d(channels), nn.ReLU()] if normed else [nn.ReLU()]


def _doubling(before: int, after: int, *, even: bool) -> list[nn.Module]:
    """Double the size: by a transposed convolution, or by interpolation, which leaves no chequerboard."""
    if not even:
        return [nn.ConvTranspose2d(before, after, 3, 2, 1, output_padding=1)]
    larger = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), larger, nn.Conv2d(after, after, 3, padding=1)]


def _init_weights(net: nn.Module) -> None:
    """N(0, 0.02)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
