"""A z-buffer renderer over batches of views, in torch, without a loop over triangles or pixels.

Weak perspective: a vertex (x, y, z) falls on pixel (x, y), z away from the camera. Photographs of faces are taken from
far enough that the difference to full perspective is below the error of the depth itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bench.errors import UsageError

_MOST_PAIRS = 60_000  # triangles of a chunk of views on a processor: what fits its cache is fastest
_MOST_PAIRS_GPU = 8_000_000  # bounds memory to some gigabytes
_DEPTH_STEPS = 2**31
_INDEX_BITS = 24  # triangles of a chunk, at most
_NONE = 2**62


@dataclass(frozen=True, slots=True)
class Raster:
    """What each pixel of N views sees.

    Attributes:
        triangle: int64 (N, S, S), the nearest triangle; -1 where there is none.
        weights: float32 (N, S, S, 3), barycentric weights of its corners; 0 where there is none.
        depth: float32 (N, S, S); infinite where there is none.
    """

    triangle: Tensor
    weights: Tensor
    depth: Tensor

    @property
    def covered(self) -> Tensor:
        """Whether a triangle is seen, bool (N, S, S)."""
        return self.triangle >= 0


def rasterise(vertices: Tensor, triangles: Tensor, size: int) -> Raster:
    """Find the nearest triangle that faces the camera at each pixel.

    A pixel belongs to the triangle that holds its centre; on a shared edge to exactly one of the two, so that a closed
    surface has no holes. Triangles that face away are left out. Equal depths go to the first triangle.

    Args:
        vertices: float32 (N, V, 3): x and y in pixels, origin at the centre of the top-left one; z away from the
            camera.
        triangles: int64 (T, 3), counter-clockwise as seen in an image whose y points down.
        size: side S of the square views.

    Returns:
        The raster, on the vertices' device.

    Raises:
        UsageError: shapes do not fit, an index is out of range, a coordinate is not finite, or size is below 1.
    """
    _check(vertices, triangles, size)
    most = _MOST_PAIRS if vertices.device.type == "cpu" else _MOST_PAIRS_GPU
    step = max(1, most // len(triangles))
    parts = [_rasterise(part, triangles, size) for part in torch.split(vertices.float(), step)]
    if len(parts) == 1:
        return parts[0]
    joined = (torch.cat([getattr(part, name) for part in parts]) for name in ("triangle", "weights", "depth"))
    return Raster(*joined)


def interpolate(raster: Raster, triangles: Tensor, attributes: Tensor) -> Tensor:
    """Values of vertices carried to pixels.

    Args:
        raster: N views.
        triangles: int64 (T, 3), as rasterised.
        attributes: float32 (N, V, C).

    Returns:
        float32 (N, C, S, S); 0 where no triangle is seen.
    """
    views, side = raster.triangle.shape[:2]
    count = attributes.shape[1]
    corners = triangles[raster.triangle.clamp(min=0)].reshape(views, -1)
    corners = corners + torch.arange(views, device=corners.device)[:, None] * count
    values = attributes.reshape(views * count, -1).index_select(0, corners.reshape(-1))
    values = values.reshape(views, side, side, 3, -1)
    return (values * raster.weights[..., None]).sum(3).permute(0, 3, 1, 2)


def sample(texture: Tensor, uv: Tensor) -> Tensor:
    """Bilinear look-up.

    Args:
        texture: float32 (N, C, h, w).
        uv: float32 (N, 2, S, S) in pixels of the texture, origin at the centre of the top-left one; what lies outside
            is the texture mirrored at its border.

    Returns:
        float32 (N, C, S, S).
    """
    height, width = texture.shape[2:]
    limits = torch.tensor([max(width - 1, 1), max(height - 1, 1)], dtype=uv.dtype, device=uv.device)
    grid = uv.permute(0, 2, 3, 1) / limits * 2 - 1
    return functional.grid_sample(texture, grid, mode="bilinear", padding_mode="reflection", align_corners=True)


def render(
    vertices: Tensor, triangles: Tensor, uv: Tensor, texture: Tensor, size: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Render textured meshes.

    Args:
        vertices: float32 (N, V, 3), see `rasterise`.
        triangles: int64 (T, 3).
        uv: float32 (N, V, 2) in pixels of the texture.
        texture: float32 (N, 3, h, w).
        size: side S of the square views.

    Returns:
        Image float32 (N, 3, S, S), 0 where nothing is seen; depth float32 (N, S, S), infinite there; visible bool
        (N, S, S).

    Raises:
        UsageError: see `rasterise`; or the numbers of views or vertices differ.
    """
    if uv.shape != (*vertices.shape[:2], 2) or texture.ndim != 4 or len(texture) != len(vertices):
        raise UsageError(
            f"Rendering needs uv (N, V, 2) and texture (N, 3, h, w) for vertices {tuple(vertices.shape)}, not "
            f"{tuple(uv.shape)} and {tuple(texture.shape)}"
        )
    raster = rasterise(vertices, triangles, size)
    seen = raster.covered
    image = sample(texture, interpolate(raster, triangles, uv.float())) * seen[:, None]
    return image, raster.depth, seen


def _check(vertices: Tensor, triangles: Tensor, size: int) -> None:
    if vertices.ndim != 3 or vertices.shape[2] != 3 or not len(vertices):
        raise UsageError(f"Vertices are (N, V, 3) with N at least 1, not {tuple(vertices.shape)}")
    if triangles.ndim != 2 or triangles.shape[1] != 3 or not 0 < len(triangles) < 2**_INDEX_BITS:
        raise UsageError(f"Triangles are (T, 3) with T at least 1, not {tuple(triangles.shape)}")
    if size < 1:
        raise UsageError(f"A view has a side of one pixel or more, not {size}")
    if triangles.min() < 0 or triangles.max() >= vertices.shape[1]:
        raise UsageError(f"A triangle names a vertex outside 0..{vertices.shape[1] - 1}")
    if not torch.isfinite(vertices).all():
        raise UsageError("A vertex is not finite")


def _rasterise(vertices: Tensor, triangles: Tensor, size: int) -> Raster:
    """One chunk of views: triangles to pixel rows, rows to pixels, nearest by one scatter."""
    views, count = len(vertices), len(triangles)
    everything = vertices[:, triangles.reshape(-1)].reshape(views * count, 3, 3)
    one, two = (everything[:, k, :2] - everything[:, 0, :2] for k in (1, 2))
    low, high = everything[:, :, :2].amin(1), everything[:, :, :2].amax(1)
    facing = one[:, 0] * two[:, 1] < one[:, 1] * two[:, 0]
    kept = (facing & (high >= 0).all(1) & (low <= size - 1).all(1)).nonzero()[:, 0]
    corners = everything[kept]

    # Corners from top to bottom; an edge has the same two ends in the same order in both triangles that share it, so
    # both compute the same crossing to the last bit.
    x, y = corners[:, :, 0], corners[:, :, 1]
    order = y.argsort(1)
    x, y = x.gather(1, order), y.gather(1, order)
    first = y[:, 0].ceil().clamp(min=0).long()
    rows = ((y[:, 2].ceil().clamp(max=size).long()) - first).clamp(min=0)
    owner, row = _expand(first, rows)
    height = row.float()
    (x0, x1, x2), (y0, y1, y2) = x[owner].unbind(1), y[owner].unbind(1)
    upper = height < y1
    short = torch.where(upper, _crossing(height, x0, y0, x1, y1), _crossing(height, x1, y1, x2, y2))
    long = _crossing(height, x0, y0, x2, y2)
    start = torch.minimum(short, long).ceil().clamp(0, size).long()
    stop = torch.maximum(short, long).ceil().clamp(0, size).long()
    which, column = _expand(start, (stop - start).clamp(min=0))

    owner, row = owner[which], row[which]
    planes = _planes(corners)
    slope = planes[:, 6:].index_select(0, owner)
    depth = slope[:, 0] * column.float() + slope[:, 1] * row.float() + slope[:, 2]
    pixel = (kept // count * size * size)[owner] + row * size + column
    return _nearest(depth, pixel, owner, planes, kept % count, (views, size, size))


def _nearest(
    depth: Tensor, pixel: Tensor, owner: Tensor, planes: Tensor, names: Tensor, shape: tuple[int, int, int]
) -> Raster:
    """Keep the nearest candidate of each pixel: depth and triangle packed into one integer, least wins."""
    pixels = shape[0] * shape[1] * shape[2]
    nearest = torch.full((pixels,), _NONE, dtype=torch.int64, device=depth.device)
    if len(depth):
        floor = depth.min()
        scale = (_DEPTH_STEPS - 1) / (depth.max() - floor).clamp(min=1e-6).double()
        packed = ((depth - floor).double() * scale).long() * 2**_INDEX_BITS + owner
        nearest.scatter_reduce_(0, pixel, packed, "amin")
    seen = (nearest < _NONE).nonzero()[:, 0]
    winner = nearest[seen] & (2**_INDEX_BITS - 1)
    index = torch.full((pixels,), -1, dtype=torch.int64, device=depth.device)
    index[seen] = names[winner]
    x, y = (seen % shape[2]).float(), (seen // shape[2] % shape[1]).float()
    plane = planes.index_select(0, winner)
    second = (plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]).clamp(0, 1)
    third = (plane[:, 3] * x + plane[:, 4] * y + plane[:, 5]).clamp(0, 1)
    weights = torch.zeros((pixels, 3), device=depth.device)
    weights[seen] = torch.stack([1 - second - third, second, third], 1)
    far = torch.full((pixels,), torch.inf, device=depth.device)
    far[seen] = plane[:, 6] * x + plane[:, 7] * y + plane[:, 8]
    return Raster(index.reshape(shape), weights.reshape(*shape, 3), far.reshape(shape))


def _planes(corners: Tensor) -> Tensor:
    """Second and third barycentric weight and depth, each as a x + b y + c: (M, 9)."""
    origin = corners[:, 0]
    one, two = corners[:, 1] - origin, corners[:, 2] - origin
    area = (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])[:, None]
    second = torch.stack([two[:, 1], -two[:, 0]], 1) / area
    third = torch.stack([-one[:, 1], one[:, 0]], 1) / area
    slope = second * one[:, 2:] + third * two[:, 2:]
    flat = torch.stack([second, third, slope], 1)  # (M, 3, 2)
    constant = -(flat * origin[:, None, :2]).sum(2)
    constant[:, 2] += origin[:, 2]
    return torch.cat([flat, constant[:, :, None]], 2).reshape(-1, 9)


def _crossing(height: Tensor, x0: Tensor, y0: Tensor, x1: Tensor, y1: Tensor) -> Tensor:
    """Where an edge from (x0, y0) down to (x1, y1) crosses a row."""
    fall = y1 - y0
    part = (height - y0) / torch.where(fall == 0, torch.ones_like(fall), fall)
    return x0 + part * (x1 - x0)


def _expand(first: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Runs of integers: for each i, counts[i] of them from first[i]; returns owners and integers."""
    owner = torch.repeat_interleave(counts)
    begin = counts.cumsum(0) - counts
    return owner, torch.arange(len(owner), device=counts.device) + (first - begin)[owner]
