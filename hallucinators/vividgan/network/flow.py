"""The flow network: a coarse network that warps the LR image to the frontal face by dense flows.

A flow gives, for each point of the frontal face, its position in the LR image. A second flow gives the position of the
point opposite on the face, so that what a turned head hides is taken from its other side. So the pixels of the image,
and with them the identity, reach the output.

Source: beyond the paper; flows as in Zhou et al. 2016 (appearance flow), soft symmetry after Hassner et al. 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.errors import UsageError
from hallucinators.networks.grids import pixel_centres, transform_points
from hallucinators.vividgan.network.turn_limits import ALWAYS
from hallucinators.vividgan.network.weight_file import MOST_DEPTH

HR = 128
GRID = 32
"""Side of the flows, to which every LR face is resized first: one network serves 16 x 16, 32 x 32 and sizes between."""


@dataclass(frozen=True, slots=True)
class FlowResult:
    """Output of the network for N faces.

    Attributes:
        coarse: the frontal face, float (N, 3, 128, 128), around [0, 1], not clamped.
        warped: the LR image warped to the frontal face, without the residual, float (N, 3, 128, 128).
        flow: float32 (N, 4, 32, 32): x, y of each frontal point in the LR image, and of the point opposite on the face;
            in [-1, 1] over the image, as `torch.nn.functional.grid_sample` counts.
        first: the flow before its refinement.
        visible: float32 (N, 3, 32, 32), logits: the point is visible, the opposite one is, the head covers this pixel.
    """

    coarse: Tensor
    warped: Tensor
    flow: Tensor
    first: Tensor
    visible: Tensor


class FlowCoarseNet(nn.Module):
    """LR face, any size, to the coarse frontal face.

    There are no normalisation layers: they cost time and change colours; residual branches start at zero instead.
    """

    frame: Tensor

    def __init__(self, *, width: int = 48, depth: int = 0) -> None:
        """Build the network.

        Args:
            width: channels of the features at 32 x 32, which the other widths follow.
            depth: residual blocks added at 32 x 32 where features are fused, and a third as many at 64 x 64.

        Raises:
            UsageError: the width is no multiple of 4, or the depth no multiple of 3 from 0 to `MOST_DEPTH`.
        """
        super().__init__()
        if width < 4 or width % 4:
            raise UsageError(f"flow network: width is {width}; it must be a multiple of 4")
        if not 0 <= depth <= MOST_DEPTH or depth % 3:
            raise UsageError(f"flow network: depth is {depth}; it must be 0 or a multiple of 3, at most {MOST_DEPTH}")
        half, large = width // 2, 4 * width // 3
        self.stem = nn.Sequential(_conv(3, half), nn.SiLU(), _conv(half, width), _ResidualBlock(width))
        self.geometry = nn.Sequential(
            _conv(width, large, 2), _ResidualBlock(large),
            _conv(large, 2 * large, 2), _ResidualBlock(2 * large),
            _conv(2 * large, 3 * large, 2), _ResidualBlock(3 * large), nn.SiLU(),
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
        self.content = nn.Sequential(_ResidualBlock(width), _conv(width, width))
        self.fuse = nn.Sequential(
            _conv(2 * width + 32 + 9, width), *(_ResidualBlock(width) for _ in range(2 + depth)), nn.SiLU(),
            _conv(width, 2 * width), nn.PixelShuffle(2), _Smooth(),
        )  # fmt: skip
        self.detail = nn.Sequential(
            _conv(half + 6, half), *(_ResidualBlock(half) for _ in range(1 + depth // 3)), nn.SiLU(),
            _conv(half, 2 * half), nn.PixelShuffle(2), _Smooth(), nn.SiLU(),
        )  # fmt: skip
        self.paint = _conv(half // 2 + 3, 3)
        for layer in (self.similarity, self.flow, self.refined, self.paint):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # they have one by default
        self.width, self.depth = width, depth
        self.limits = ALWAYS
        self.register_buffer("frame", pixel_centres(GRID), persistent=False)

    def deepened(self, depth: int) -> FlowCoarseNet:
        """A network of greater depth that gives the same faces: the branches of the added blocks are zero.

        Raises:
            UsageError: the depth is less than this network's, or no multiple of 3.
        """
        if depth < self.depth:
            raise UsageError(f"flow network: depth is {depth}; the network to start from has {self.depth}")
        deep = FlowCoarseNet(width=self.width, depth=depth)
        for block in (*deep.fuse, *deep.detail):
            if isinstance(block, _ResidualBlock):
                nn.init.zeros_(block.second.bias)  # type: ignore[arg-type]  # it has one by default
        state = deep.state_dict()
        shifts = {
            "fuse": (3 + self.depth, depth - self.depth),
            "detail": (2 + self.depth // 3, depth // 3 - self.depth // 3),
        }
        for name, tensor in self.state_dict().items():
            part, _, rest = name.partition(".")
            if part in shifts:
                first, shift = shifts[part]  # layers from the activation behind the blocks on
                number, _, rest = rest.partition(".")
                name = f"{part}.{int(number) + (shift if int(number) >= first else 0)}.{rest}"
            state[name] = tensor
        deep.load_state_dict(state)
        return deep

    def forward(self, lr: Tensor) -> FlowResult:
        """Hallucinate.

        Args:
            lr: RGB in [0, 1], float (N, 3, s, s), s at least 2.
        """
        small = lr if lr.shape[-2:] == (GRID, GRID) else functional.interpolate(lr, (GRID, GRID), mode="bicubic")
        features = self.stem(small - 0.5)
        first, visible, unfolded = self._first_flow(features)
        flow, visible, hint = self._refine(features, first, visible, unfolded)
        rigid = transform_points(fit_location(flow, visible, self.frame), self.frame)
        turn = self.limits.turned_share(estimate_turn_px(flow, visible, rigid))
        limited = limit_deformation(flow, rigid, self.limits.deformation_scale_at(turn))
        warped = self._warp(small, limited, visible, HR)
        content = self.content(features)
        direct, opposite = sample(content, limited[:, :2]), sample(content, limited[:, 2:])
        middle = self._warp(small, limited, visible, GRID)
        images = [sample(small, limited[:, :2]) - 0.5, sample(small, limited[:, 2:]) - 0.5]
        fused = self.fuse(torch.cat([direct, opposite, hint, visible.sigmoid(), *(i.to(direct) for i in images)], 1))
        half = GRID * 2
        at_half = [enlarge(middle, half).to(fused) - 0.5, functional.avg_pool2d(warped, 2).to(fused) - 0.5]
        detail = self.detail(torch.cat([fused, *at_half], 1))
        residual = self.paint(torch.cat([detail, warped.to(detail) - 0.5], 1)).float()
        if not self.training:
            residual = residual * self.limits.residual_scale_at(turn, lr)[:, None, None, None]
        return FlowResult(warped + residual, warped, flow, first, visible)

    def locate(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """The coarse face, and its location: float32 (N, 2, 3), frontal frame to LR image in [-1, 1]."""
        result = self(lr)
        return result.coarse, fit_location(result.flow, result.visible, self.frame)

    def geometry_only(self, lr: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the first stage trains: flow, flow before its refinement, logits of the visibility, warped image."""
        small = lr if lr.shape[-2:] == (GRID, GRID) else functional.interpolate(lr, (GRID, GRID), mode="bicubic")
        features = self.stem(small - 0.5)
        first, visible, unfolded = self._first_flow(features)
        flow, visible, _ = self._refine(features, first, visible, unfolded)
        return flow, first, visible, self._warp(small, flow, visible, GRID * 2)

    def _first_flow(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        code = self.code(self.geometry(features))
        unfolded = self.unfold(self.spread(code))
        dense = self.flow(unfolded).float()
        identity = torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], device=code.device)
        matrix = (self.similarity(code).float() + identity).reshape(-1, 2, 3)
        opposite = self.frame * torch.tensor([-1.0, 1.0], device=code.device)[:, None, None]
        direct = transform_points(matrix, self.frame) + dense[:, :2]
        other = transform_points(matrix, opposite) + dense[:, 2:4]
        return torch.cat([direct, other], 1), dense[:, 4:], unfolded

    def _refine(
        self, features: Tensor, first: Tensor, visible: Tensor, unfolded: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        direct, opposite = sample(features, first[:, :2]), sample(features, first[:, 2:])
        hint = self.refine(torch.cat([direct, opposite, unfolded, visible.sigmoid().to(direct)], 1))
        change = self.refined(hint).float()
        return first + change[:, :4], visible + change[:, 4:], hint

    def _warp(self, small: Tensor, flow: Tensor, visible: Tensor, side: int) -> Tensor:
        """The image warped by the direct and by the opposite flow, mixed by their visibility; float32."""
        flow, shares = enlarge(flow, side), enlarge(visible[:, :2].sigmoid(), side)
        bicubic = enlarge(small.float(), HR) if side == HR else small.float()
        direct, opposite = sample(bicubic, flow[:, :2]), sample(bicubic, flow[:, 2:])
        # The direct point has the larger weight, so that two sides of equal visibility are not averaged.
        weight = (shares[:, :1] + 0.02) / (shares[:, :1] + 0.02 + 0.25 * shares[:, 1:2] * (1 - shares[:, :1]))
        return direct * weight + opposite * (1 - weight)


def sample(values: Tensor, at: Tensor) -> Tensor:
    """Bilinear interpolation of (N, C, h, w) at (N, 2, H, W), in the type of the values; borders repeat."""
    grid = at.permute(0, 2, 3, 1)
    sampled = functional.grid_sample(
        values.float(), grid.float(), mode="bilinear", padding_mode="border", align_corners=False
    )
    return sampled.to(values.dtype)


def estimate_turn_px(flow: Tensor, visible: Tensor, rigid: Tensor) -> Tensor:
    """How far each head is turned, in pixels of 128: float32 (N,).

    The flow of a head that is not turned is a similarity. The difference between flow and similarity (root mean square
    over the head) measures the turn: 1.5 for photographs of frontal faces, and 5, 9, 16 and 24 at 22, 35, 55 and 75
    degrees.

    Args:
        flow: float32 (N, 4, h, w), see `FlowResult`.
        visible: logits, float32 (N, 3, h, w).
        rigid: each point by the similarity nearest to the flow (`fit_location`), float32 (N, 2, h, w).
    """
    head = visible[:, 2:].float().sigmoid()
    off = flow[:, :2] - rigid
    scale = (rigid[:, :, :, 1:] - rigid[:, :, :, :-1]).square().sum(1).mean((1, 2)).sqrt() * (flow.shape[-1] / 2)
    square = (off.square().sum(1, keepdim=True) * head).sum((1, 2, 3)) / (head.sum((1, 2, 3)) + 1e-6)
    return (square + 1e-12).sqrt() * (HR / 2) / (scale + 1e-6)


def limit_deformation(flow: Tensor, rigid: Tensor, scale: Tensor) -> Tensor:
    """The flow with the part that is not a similarity scaled.

    Args:
        flow: as in `estimate_turn_px`.
        rigid: the same.
        scale: float32 (N,), from 0 to 1.
    """
    return torch.cat([rigid + scale[:, None, None, None] * (flow[:, :2] - rigid), flow[:, 2:]], 1)


def fit_location(flow: Tensor, visible: Tensor, frame: Tensor) -> Tensor:
    """Location of the face: the similarity nearest to the flow, weighted by head and visibility, float32 (N, 2, 3).

    Args:
        flow: float32 (N, 4, h, w), see `FlowResult`.
        visible: logits, float32 (N, 3, h, w).
        frame: x and y of each point, float32 (2, h, w).

    It maps the frontal frame to the LR image.
    """
    weight = visible[:, 2:].float().sigmoid() * (0.1 + 0.9 * visible[:, :1].float().sigmoid())
    return fit_similarity(flow[:, :2], weight, frame)


def fit_similarity(target: Tensor, weight: Tensor, source: Tensor) -> Tensor:
    """Weighted least-squares similarity from maps of points (2, h, w) to (N, 2, h, w): float32 (N, 2, 3).

    Args:
        target: float32 (N, 2, h, w).
        weight: float32 (N, 1, h, w).
        source: float32 (2, h, w).
    """
    total = weight.sum((2, 3), keepdim=True) + 1e-6
    middle = (source * weight).sum((2, 3), keepdim=True) / total
    goal = (target * weight).sum((2, 3), keepdim=True) / total
    a, b = source - middle, target - goal
    spread = (a.square().sum(1, keepdim=True) * weight).sum((2, 3), keepdim=True) + 1e-6
    cosine = ((a * b).sum(1, keepdim=True) * weight).sum((2, 3), keepdim=True) / spread
    sine = ((a[:, :1] * b[:, 1:] - a[:, 1:] * b[:, :1]) * weight).sum((2, 3), keepdim=True) / spread
    linear = torch.cat([torch.cat([cosine, -sine], 3), torch.cat([sine, cosine], 3)], 2)[:, 0]
    return torch.cat([linear, goal[:, :, 0] - linear @ middle[:, :, 0]], 2)


def enlarge(values: Tensor, side: int) -> Tensor:
    """Bicubic interpolation for RGB images; bilinear for other maps, since bicubic overshoots masks."""
    if values.shape[-1] == side:
        return values
    mode = "bicubic" if values.shape[1] == 3 else "bilinear"
    return functional.interpolate(values.float(), (side, side), mode=mode, align_corners=False)


class _ResidualBlock(nn.Module):
    """x + conv(act(conv(act(x)))); the branch starts at zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _conv(channels, channels), _conv(channels, channels)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.second(functional.silu(self.first(functional.silu(x))))
        return x + branch


class _Smooth(nn.Module):
    """Two 2 x 2 means, one in each direction, which remove the chequerboard frequency of a pixel shuffle.

    Source: Sugawara, Shiota, Kiya 2018 (a hold after the shuffle), here centred.
    """

    def forward(self, x: Tensor) -> Tensor:
        x = functional.avg_pool2d(functional.pad(x, (1, 0, 1, 0), mode="replicate"), 2, 1)
        return functional.avg_pool2d(functional.pad(x, (0, 1, 0, 1), mode="replicate"), 2, 1)


def _conv(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, 1)
