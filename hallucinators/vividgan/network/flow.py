"""The coarse network of ``vividgan-flow``: feature-transform modules that carry picture and features by learned flows.

Where the paper's modules move features by one similarity each (its STN), these move them by a dense flow to the frontal
frame, and a second time by a flow to the mirrored place on the face: what a turned head hides is taken from its other
side, softly. So the picture's own pixels reach the output, and identity with them.

Source: beyond the paper; flows as in Zhou et al. 2016 (appearance flow), soft symmetry after Hassner et al. 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.errors import UsageError
from hallucinators.networks.grids import moved, places

HR = 128
GRID = 32
"""Side at which flows are predicted, and to which every LR face is brought first: one network serves 16 x 16, 32 x 32
and what lies between."""


@dataclass(frozen=True, slots=True)
class Restraint:
    """What is left undone where a head is hardly turned; `turned` says in pixels of 128 how far it is.

    Attributes:
        unturned: up to here a head counts as not turned at all.
        turned: from here on as wholly turned, and nothing is held back; between the two it is as far turned as it lies.
        bend: share that is kept, where a head is not turned, of what its flow says beyond a similarity. That is mostly
            error, and bends the face into another's.
        paint: shares kept there of what is painted, at 16 x 16 and at 32 x 32, in use; in training all is kept. What is
            painted for a teacher is painted too thick for others, and where nothing was hidden there is little to
            paint.
    """

    unturned: float
    turned: float
    bend: float
    paint: tuple[float, float]

    def share(self, pixels: Tensor) -> Tensor:
        """How much a head counts as turned, from 0 to 1, of the pixels that `turned` gives; the same shape."""
        return ((pixels - self.unturned) / (self.turned - self.unturned)).clamp(0, 1)

    def bent(self, turn: Tensor) -> Tensor:
        """Share of the bend that is kept, (N,), of heads that count as turned by a share (N,)."""
        return self.bend + (1 - self.bend) * turn

    def painted(self, turn: Tensor, lr: Tensor) -> Tensor:
        """Share of what is painted that is kept, (N,), of such heads on LR faces (N, 3, s, s)."""
        small, large = self.paint
        side = torch.ones_like(lr[0, 0, 0], dtype=torch.float32).sum()  # as a tensor, for export
        least = small + (large - small) * ((side - 16) / 16).clamp(0, 1)
        return least + (1 - least) * turn


ALWAYS = Restraint(3.0, 6.0, 0.3, (0.7, 0.7))
"""Frontal whatever the turn, and what networks are trained with: heads count as turned from 15 to 25 degrees on."""
FAR = Restraint(8.0, 16.0, 0.0, (0.7, 0.4))
"""Heads turned by up to 30 degrees or so stay as they are, from 55 on they are wholly brought to the front.

For recognisers, which know real heads better so: chosen on 400 people of LFW at 16 x 16 and 32 x 32, held on 400 others
(docs/training.md).
"""


@dataclass(frozen=True, slots=True)
class FlowResult:
    """What the network gives; N faces.

    Attributes:
        coarse: float (N, 3, 128, 128), frontal, near [0, 1], not clamped.
        carried: float (N, 3, 128, 128), the LR picture carried to the front, before anything is added.
        flow: float32 (N, 4, 32, 32): x, y of each frontal point in the LR picture, and of the point opposite on the
            face; from -1 to 1 over the picture's edges, as `torch.nn.functional.grid_sample` counts.
        first: the same before it is refined.
        seen: float32 (N, 3, 32, 32), logits: the own point is seen, the opposite one is, the head covers this pixel.
    """

    coarse: Tensor
    carried: Tensor
    flow: Tensor
    first: Tensor
    seen: Tensor


class FlowCoarseNet(nn.Module):
    """LR face, any size, to the coarse frontal face.

    No normalisation layers: their statistics would cost time and move colours; residual branches start at zero instead.
    """

    frame: Tensor

    def __init__(self, *, width: int = 48) -> None:
        """Build it.

        Args:
            width: channels of the features at 32 x 32; the others follow.

        Raises:
            UsageError: it is no multiple of 4.
        """
        super().__init__()
        if width < 4 or width % 4:
            raise UsageError(f"flow network: width is {width}; it must be a multiple of 4")
        half, large = width // 2, 4 * width // 3
        self.stem = nn.Sequential(_conv(3, half), nn.SiLU(), _conv(half, width), _Residual(width))
        self.geometry = nn.Sequential(
            _conv(width, large, 2), _Residual(large),
            _conv(large, 2 * large, 2), _Residual(2 * large),
            _conv(2 * large, 3 * large, 2), _Residual(3 * large), nn.SiLU(),
        )  # fmt: skip
        code = 6 * large
        self.code = nn.Sequential(nn.Flatten(), nn.Linear(3 * large * 16, code), nn.SiLU())
        self.similarity = nn.Linear(code, 6)
        self.spread = nn.Linear(code, 2 * large * 16)
        self.unfold = nn.Sequential(
            nn.Unflatten(1, (2 * large, 4, 4)), nn.SiLU(),
            nn.Upsample(scale_factor=2), _conv(2 * large, 3 * large // 2), nn.SiLU(),
            nn.Upsample(scale_factor=2), _conv(3 * large // 2, large), nn.SiLU(),
            nn.Upsample(scale_factor=2), _conv(large, half + 8), nn.SiLU(),
        )  # fmt: skip
        self.flow = _conv(half + 8, 7)
        self.refine = nn.Sequential(_conv(2 * width + half + 8 + 3, 40), nn.SiLU(), _conv(40, 32), nn.SiLU())
        self.refined = _conv(32, 7)
        self.content = nn.Sequential(_Residual(width), _conv(width, width))
        self.fuse = nn.Sequential(
            _conv(2 * width + 32 + 9, width), _Residual(width), _Residual(width), nn.SiLU(),
            _conv(width, 2 * width), nn.PixelShuffle(2), _Even(),
        )  # fmt: skip
        self.detail = nn.Sequential(
            _conv(half + 6, half), _Residual(half), nn.SiLU(),
            _conv(half, 2 * half), nn.PixelShuffle(2), _Even(), nn.SiLU(),
        )  # fmt: skip
        self.paint = _conv(half // 2 + 3, 3)
        for layer in (self.similarity, self.flow, self.refined, self.paint):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # they have one by default
        self.restraint = ALWAYS
        self.register_buffer("frame", places(GRID), persistent=False)

    def forward(self, lr: Tensor) -> FlowResult:
        """Hallucinate.

        Args:
            lr: RGB in [0, 1], float (N, 3, s, s), s at least 2.
        """
        small = lr if lr.shape[-2:] == (GRID, GRID) else functional.interpolate(lr, (GRID, GRID), mode="bicubic")
        features = self.stem(small - 0.5)
        first, seen, unfolded = self._first_flow(features)
        flow, seen, hint = self._refine(features, first, seen, unfolded)
        similar = moved(placed(flow, seen, self.frame), self.frame)
        turn = self.restraint.share(turned(flow, seen, similar))
        taken = settled(flow, similar, self.restraint.bent(turn))
        picture = self._carry(small, taken, seen, HR)
        content = self.content(features)
        own, opposite = sample(content, taken[:, :2]), sample(content, taken[:, 2:])
        middle = self._carry(small, taken, seen, GRID)
        pictures = [sample(small, taken[:, :2]) - 0.5, sample(small, taken[:, 2:]) - 0.5]
        fused = self.fuse(torch.cat([own, opposite, hint, seen.sigmoid(), *(p.to(own) for p in pictures)], 1))
        half = GRID * 2
        at_half = [enlarged(middle, half).to(fused) - 0.5, functional.avg_pool2d(picture, 2).to(fused) - 0.5]
        detail = self.detail(torch.cat([fused, *at_half], 1))
        painted = self.paint(torch.cat([detail, picture.to(detail) - 0.5], 1)).float()
        if not self.training:
            painted = painted * self.restraint.painted(turn, lr)[:, None, None, None]
        return FlowResult(picture + painted, picture, flow, first, seen)

    def located(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """The coarse face, and where the face is: float32 (N, 2, 3), frontal frame to LR picture in [-1, 1]."""
        found = self(lr)
        return found.coarse, placed(found.flow, found.seen, self.frame)

    def geometry_only(self, lr: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Flow, flow before it is refined, logits and carried picture alone: what the first stage trains."""
        small = lr if lr.shape[-2:] == (GRID, GRID) else functional.interpolate(lr, (GRID, GRID), mode="bicubic")
        features = self.stem(small - 0.5)
        first, seen, unfolded = self._first_flow(features)
        flow, seen, _ = self._refine(features, first, seen, unfolded)
        return flow, first, seen, self._carry(small, flow, seen, GRID * 2)

    def _first_flow(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        code = self.code(self.geometry(features))
        unfolded = self.unfold(self.spread(code))
        dense = self.flow(unfolded).float()
        identity = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], device=code.device)
        matrix = (self.similarity(code).float() + identity).reshape(-1, 2, 3)
        opposite = self.frame * torch.tensor([-1.0, 1.0], device=code.device)[:, None, None]
        own, other = moved(matrix, self.frame) + dense[:, :2], moved(matrix, opposite) + dense[:, 2:4]
        return torch.cat([own, other], 1), dense[:, 4:], unfolded

    def _refine(self, features: Tensor, first: Tensor, seen: Tensor, unfolded: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own, opposite = sample(features, first[:, :2]), sample(features, first[:, 2:])
        hint = self.refine(torch.cat([own, opposite, unfolded, seen.sigmoid().to(own)], 1))
        change = self.refined(hint).float()
        return first + change[:, :4], seen + change[:, 4:], hint

    def _carry(self, small: Tensor, flow: Tensor, seen: Tensor, side: int) -> Tensor:
        """The picture at its own place and at the opposite one, mixed by how well each is seen; float32."""
        flow, shares = enlarged(flow, side), enlarged(seen[:, :2].sigmoid(), side)
        bicubic = enlarged(small.float(), HR) if side == HR else small.float()
        own, opposite = sample(bicubic, flow[:, :2]), sample(bicubic, flow[:, 2:])
        # The own place counts more, so that two sides that are seen alike are not blurred into each other.
        weight = (shares[:, :1] + 0.02) / (shares[:, :1] + 0.02 + 0.25 * shares[:, 1:2] * (1 - shares[:, :1]))
        return own * weight + opposite * (1 - weight)


def sample(values: Tensor, at: Tensor) -> Tensor:
    """Bilinear look-up of (N, C, h, w) at (N, 2, H, W), in the type of the values; borders repeat."""
    grid = at.permute(0, 2, 3, 1)
    looked = functional.grid_sample(
        values.float(), grid.float(), mode="bilinear", padding_mode="border", align_corners=False
    )
    return looked.to(values.dtype)


def turned(flow: Tensor, seen: Tensor, similar: Tensor) -> Tensor:
    """How far the head is turned, in pixels of 128: float32 (N,).

    A head that is not turned moves by a similarity. By how much flow and similarity differ (root of the mean square
    over the head) tells how far it is: 1.5 for photographs of frontal faces, and 5, 9, 16 and 24 at 22, 35, 55 and 75
    degrees.

    Args:
        flow: float32 (N, 4, h, w), see `FlowResult`.
        seen: logits, float32 (N, 3, h, w).
        similar: where the similarity nearest to the flow (`placed`) puts each point, float32 (N, 2, h, w).
    """
    head = seen[:, 2:].float().sigmoid()
    off = flow[:, :2] - similar
    scale = (similar[:, :, :, 1:] - similar[:, :, :, :-1]).square().sum(1).mean((1, 2)).sqrt() * (flow.shape[-1] / 2)
    square = (off.square().sum(1, keepdim=True) * head).sum((1, 2, 3)) / (head.sum((1, 2, 3)) + 1e-6)
    return (square + 1e-12).sqrt() * (HR / 2) / (scale + 1e-6)


def settled(flow: Tensor, similar: Tensor, share: Tensor) -> Tensor:
    """The flow with no more than a share of what no similarity explains.

    Args:
        flow: as of `turned`.
        similar: the same.
        share: float32 (N,), from 0 to 1.
    """
    return torch.cat([similar + share[:, None, None, None] * (flow[:, :2] - similar), flow[:, 2:]], 1)


def placed(flow: Tensor, seen: Tensor, frame: Tensor) -> Tensor:
    """Where the face is: the similarity nearest to the flow over the head, most where it is seen, float32 (N, 2, 3).

    Args:
        flow: float32 (N, 4, h, w), see `FlowResult`.
        seen: logits, float32 (N, 3, h, w).
        frame: x and y of each point, float32 (2, h, w).

    It leads from places of the frontal frame to those of the LR picture.
    """
    weight = seen[:, 2:].float().sigmoid() * (0.1 + 0.9 * seen[:, :1].float().sigmoid())
    return similarity(flow[:, :2], weight, frame)


def similarity(at: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """What brings places (2, h, w) nearest to (N, 2, h, w), by weights (N, 1, h, w): float32 (N, 2, 3)."""
    total = weight.sum((2, 3), keepdim=True) + 1e-6
    middle, goal = (place * weight).sum((2, 3), keepdim=True) / total, (at * weight).sum((2, 3), keepdim=True) / total
    a, b = place - middle, at - goal
    spread = (a.square().sum(1, keepdim=True) * weight).sum((2, 3), keepdim=True) + 1e-6
    cosine = ((a * b).sum(1, keepdim=True) * weight).sum((2, 3), keepdim=True) / spread
    sine = ((a[:, :1] * b[:, 1:] - a[:, 1:] * b[:, :1]) * weight).sum((2, 3), keepdim=True) / spread
    linear = torch.cat([torch.cat([cosine, -sine], 3), torch.cat([sine, cosine], 3)], 2)[:, 0]
    return torch.cat([linear, goal[:, :, 0] - linear @ middle[:, :, 0]], 2)


def enlarged(values: Tensor, side: int) -> Tensor:
    """Bicubic for pictures would overshoot masks; bilinear for all but 3 channels."""
    if values.shape[-1] == side:
        return values
    mode = "bicubic" if values.shape[1] == 3 else "bilinear"
    return functional.interpolate(values.float(), (side, side), mode=mode, align_corners=False)


class _Residual(nn.Module):
    """x + conv(act(conv(act(x)))); the branch starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _conv(channels, channels), _conv(channels, channels)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.second(functional.silu(self.first(functional.silu(x))))
        return x + branch


class _Even(nn.Module):
    """Two 2 x 2 means, one each way: a pixel shuffle's chequerboard is at the frequency they take out.

    Source: Sugawara, Shiota, Kiya 2018 (a hold after the shuffle), here centred.
    """

    def forward(self, x: Tensor) -> Tensor:
        x = functional.avg_pool2d(functional.pad(x, (1, 0, 1, 0), mode="replicate"), 2, 1)
        return functional.avg_pool2d(functional.pad(x, (0, 1, 0, 1), mode="replicate"), 2, 1)


def _conv(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, 1)
