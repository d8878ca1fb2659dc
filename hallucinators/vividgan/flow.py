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

HR = 128
GRID = 32
"""Side at which flows are predicted, and to which every LR face is brought first: one network serves 16 x 16, 32 x 32
and what lies between."""

_UNTURNED, _TURNED, _LEAST = 3.0, 6.0, 0.3
_STILL_PAINT = 0.7
"""Share of what is painted that a head which is not turned keeps in use; in training it keeps all.

What is painted for a teacher is painted too thick for others, and where nothing was hidden there is little to paint.
Chosen on 400 people of LFW at 16 x 16 (SFace's rank-1 70.0 %, 68.2 with all paint); on 400 others it is 73.5 and 70.5.
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
        axis = (torch.arange(GRID) + 0.5) * (2 / GRID) - 1
        frame = torch.stack([axis.expand(GRID, GRID), axis[:, None].expand(GRID, GRID), torch.ones(GRID, GRID)])
        self.register_buffer("frame", frame, persistent=False)

    def forward(self, lr: Tensor) -> FlowResult:
        """Hallucinate.

        Args:
            lr: RGB in [0, 1], float (N, 3, s, s), s at least 2.
        """
        small = lr if lr.shape[-2:] == (GRID, GRID) else functional.interpolate(lr, (GRID, GRID), mode="bicubic")
        features = self.stem(small - 0.5)
        first, seen, unfolded = self._first_flow(features)
        flow, seen, hint = self._refine(features, first, seen, unfolded)
        similar = _applied(placed(flow, seen, self.frame), self.frame)
        turn = turned(flow, seen, similar)
        taken = settled(flow, similar, turn)
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
            painted = painted * (_STILL_PAINT + (1 - _STILL_PAINT) * turn)[:, None, None, None]
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
        opposite = self.frame * torch.tensor([-1.0, 1.0, 1.0], device=code.device)[:, None, None]
        own, other = _applied(matrix, self.frame) + dense[:, :2], _applied(matrix, opposite) + dense[:, 2:4]
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
    """How much the head is turned: float32 (N,), 0 where it is as good as frontal, 1 where it surely is turned.

    A head that is not turned moves by a similarity. By how much flow and similarity differ (`_UNTURNED` to `_TURNED`
    pixels of 128, root of the mean square over the head) tells the two cases apart: 1.5 for photographs of frontal
    faces, 5 at 22 degrees, 25 at 75.

    Args:
        flow: float32 (N, 4, h, w), see `FlowResult`.
        seen: logits, float32 (N, 3, h, w).
        similar: where the similarity nearest to the flow (`placed`) puts each point, float32 (N, 2, h, w).
    """
    head = seen[:, 2:].float().sigmoid()
    off = flow[:, :2] - similar
    scale = (similar[:, :, :, 1:] - similar[:, :, :, :-1]).square().sum(1).mean((1, 2)).sqrt() * (flow.shape[-1] / 2)
    square = (off.square().sum(1, keepdim=True) * head).sum((1, 2, 3)) / (head.sum((1, 2, 3)) + 1e-6)
    pixels = (square + 1e-12).sqrt() * (HR / 2) / (scale + 1e-6)
    return ((pixels - _UNTURNED) / (_TURNED - _UNTURNED)).clamp(0, 1)


def settled(flow: Tensor, similar: Tensor, turn: Tensor) -> Tensor:
    """The flow with less of what no similarity explains, where the head is hardly turned.

    What a flow says beyond the similarity is then mostly error, and bends the face into another's.

    Args:
        flow: as of `turned`.
        similar: the same.
        turn: what `turned` says, float32 (N,).
    """
    share = (_LEAST + (1 - _LEAST) * turn)[:, None, None, None]
    return torch.cat([similar + share * (flow[:, :2] - similar), flow[:, 2:]], 1)


def placed(flow: Tensor, seen: Tensor, frame: Tensor) -> Tensor:
    """Where the face is: the similarity nearest to the flow over the head, most where it is seen, float32 (N, 2, 3).

    Args:
        flow: float32 (N, 4, h, w), see `FlowResult`.
        seen: logits, float32 (N, 3, h, w).
        frame: x, y and 1 of each point, float32 (3, h, w).

    It leads from places of the frontal frame to those of the LR picture.
    """
    weight = seen[:, 2:].float().sigmoid() * (0.1 + 0.9 * seen[:, :1].float().sigmoid())
    return similarity(flow[:, :2], weight, frame[:2])


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


def _applied(matrix: Tensor, frame: Tensor) -> Tensor:
    """Matrices (N, 2, 3) times the places of a frame (3, h, w): float32 (N, 2, h, w).

    Written out because autocast would do a product of matrices in bfloat16, an eighth of a pixel of 128 off.
    """
    return (matrix[:, :, :, None, None] * frame).sum(2)


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
