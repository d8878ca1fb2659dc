"""A z-buffer renderer over batches of views, in torch, without a loop over triangles or pixels.

Weak perspective: a vertex (x, y, z) is projected to pixel (x, y), z away from the camera. At the usual distance of
photographs the difference to full perspective is smaller than the error of the depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from bench.errors import UsageError

_MOST_PAIRS = 30_000  # triangles of a chunk of views on a CPU: fastest where they fit the cache
_MOST_PAIRS_GPU = 8_000_000  # bounds memory to some gigabytes
_INDEX_BITS = 24  # triangles of a chunk, at most
_NONE = 2**62


@dataclass(frozen=True, slots=True)
class Raster:
    """The visible triangle of each pixel of N views.

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
        """Whether a triangle is visible, bool (N, S, S)."""
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
        UsageError: shapes do not match, an index is out of range, a coordinate is not finite, or size is below 1.
    """
    _check(vertices, triangles, size)
    parts = [_rasterise(part, triangles, size) for part in torch.split(vertices.float(), _step(vertices, triangles))]
    if len(parts) == 1:
        return parts[0]
    joined = (torch.cat([getattr(part, name) for part in parts]) for name in ("triangle", "weights", "depth"))
    return Raster(*joined)


def interpolate(raster: Raster, triangles: Tensor, attributes: Tensor) -> Tensor:
    """Interpolate values of vertices at pixels.

    Args:
        raster: N views.
        triangles: int64 (T, 3), as rasterised.
        attributes: float32 (N, V, C).

    Returns:
        float32 (N, C, S, S); 0 where no triangle is visible.
    """
    views, side = raster.triangle.shape[:2]
    count, channels = attributes.shape[1:]
    owner = raster.triangle.reshape(-1).clamp(min=0)
    shift = (torch.arange(views, device=owner.device) * count).repeat_interleave(side * side)
    values = attributes.reshape(views * count, channels).T.contiguous()
    total = values.new_zeros((channels, owner.numel()))
    for corner in range(3):
        vertex = triangles[:, corner].contiguous().index_select(0, owner) + shift
        total.addcmul_(values.index_select(1, vertex), raster.weights[..., corner].reshape(1, -1))
    return total.reshape(channels, views, side, side).transpose(0, 1)


def sample(texture: Tensor, uv: Tensor) -> Tensor:
    """Bilinear look-up.

    Args:
        texture: float32 (N, C, h, w).
        uv: float32 (N, 2, S, S) in pixels of the texture, origin at the centre of the top-left one; outside, the
            texture is mirrored at its border.

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
        Image float32 (N, 3, S, S), 0 where nothing is visible; depth float32 (N, S, S), infinite there; visible bool
        (N, S, S).

    Raises:
        UsageError: see `rasterise`; or the numbers of views or vertices differ.
    """
    if uv.shape != (*vertices.shape[:2], 2) or texture.ndim != 4 or len(texture) != len(vertices):
        raise UsageError(
            f"Rendering needs uv (N, V, 2) and texture (N, 3, h, w) for vertices {tuple(vertices.shape)}, not "
            f"{tuple(uv.shape)} and {tuple(texture.shape)}"
        )
    _check(vertices, triangles, size)
    step, parts = _step(vertices, triangles), []
    for start in range(0, len(vertices), step):
        some = slice(start, start + step)
        raster = _rasterise(vertices[some].float(), triangles, size)
        image = sample(texture[some], interpolate(raster, triangles, uv[some].float()))
        parts.append((image.mul_(raster.covered[:, None]), raster.depth, raster.covered))
    images, depths, seen = (torch.cat(part) for part in zip(*parts, strict=True))
    return images, depths, seen


def _step(vertices: Tensor, triangles: Tensor) -> int:
    """Views of a chunk."""
    most = _MOST_PAIRS if vertices.device.type == "cpu" else _MOST_PAIRS_GPU
    return max(1, most // len(triangles))


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
    views, many, count = len(vertices), vertices.shape[1], len(triangles)
    starts = torch.arange(views, device=vertices.device) * many
    corners = (triangles.T[:, None] + starts[:, None]).reshape(-1)  # corner, view, triangle
    x, y, z = vertices.reshape(-1, 3).T.contiguous().index_select(1, corners).reshape(3, 3, views * count)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    inside = (_most(x) >= 0) & (_most(y) >= 0) & (_least(x) <= size - 1) & (_least(y) <= size - 1)
    kept = ((area < 0) & inside).nonzero()[:, 0]
    x, y, z, area = (values.index_select(-1, kept) for values in (x, y, z, area))
    planes = _planes(x, y, z, area)

    # Both triangles that share an edge start it at its upper end, so both compute bit-equal crossings. Each row is
    # crossed by two of the three edges.
    other_x, other_y = x[[1, 2, 0]], y[[1, 2, 0]]
    down = y < other_y
    top_x, top = torch.where(down, x, other_x), torch.minimum(y, other_y)
    run = (other_x - x) / torch.where(y == other_y, torch.ones_like(y), other_y - y)
    first = _least(y).ceil().clamp(min=0).long()
    rows = (_most(y).ceil().clamp(max=size).long() - first).clamp(min=0)
    owner, row = _expand(first, rows)
    height = row.to(x.dtype)
    edges = torch.cat([top_x, top, torch.maximum(y, other_y), run]).index_select(1, owner).reshape(4, 3, -1)
    crossing = edges[0] + (height - edges[1]) * edges[3]
    reached = (edges[1] <= height) & (height < edges[2])
    start = _least(torch.where(reached, crossing, torch.inf)).ceil().clamp(0, size).long()
    stop = _most(torch.where(reached, crossing, -torch.inf)).ceil().clamp(0, size).long()
    which, column = _expand(start, (stop - start).clamp(min=0))

    steps = planes[6:].index_select(1, owner)
    nearer = (steps[1] * height + steps[2]).index_select(0, which)
    depth = torch.addcmul(nearer, steps[0].index_select(0, which), column.to(x.dtype))
    line = (kept // count * (size * size)).index_select(0, owner) + row * size
    pixel = column + line.index_select(0, which)
    return _nearest(depth, pixel, owner.index_select(0, which), planes, kept % count, (views, size, size))


def _nearest(
    depth: Tensor, pixel: Tensor, owner: Tensor, planes: Tensor, names: Tensor, shape: tuple[int, int, int]
) -> Raster:
    """Keep the nearest candidate of each pixel: the least integer of packed depth and triangle."""
    device, pixels = depth.device, shape[0] * shape[1] * shape[2]
    nearest = torch.full((pixels,), _NONE, dtype=torch.int64, device=device)
    if len(depth):
        # The bit patterns of non-negative floats have the order of the floats.
        packed = (depth - depth.min()).view(torch.int32).long() * 2**_INDEX_BITS + owner
        nearest.scatter_reduce_(0, pixel, packed, "amin")
    seen = (nearest < _NONE).nonzero()[:, 0]
    winner = nearest.index_select(0, seen) & (2**_INDEX_BITS - 1)
    line = torch.arange(shape[2], device=device, dtype=depth.dtype)
    x = line.repeat(shape[0] * shape[1]).index_select(0, seen)
    y = line.repeat_interleave(shape[2]).repeat(shape[0]).index_select(0, seen)
    plane = planes.index_select(1, winner).reshape(3, 3, -1)
    plane_values = torch.addcmul(torch.addcmul(plane[:, 2], plane[:, 0], x), plane[:, 1], y)
    second, third = plane_values[0].clamp(0, 1), plane_values[1].clamp(0, 1)
    index = torch.full((pixels,), -1, dtype=torch.int64, device=device)
    index.index_copy_(0, seen, names.index_select(0, winner))
    weights = torch.zeros((3, pixels), device=device)
    weights.index_copy_(1, seen, torch.stack([1 - second - third, second, third]))
    far = torch.full((pixels,), torch.inf, device=device)
    far.index_copy_(0, seen, plane_values[2])
    return Raster(index.reshape(shape), weights.reshape(3, *shape).permute(1, 2, 3, 0), far.reshape(shape))


def _planes(x: Tensor, y: Tensor, z: Tensor, area: Tensor) -> Tensor:
    """Second and third barycentric weight and depth of triangles (3, M), each as a x + b y + c: (9, M)."""
    rows = []
    weights = [(y[2] - y[0], x[0] - x[2]), (y[0] - y[1], x[1] - x[0])]
    slopes = [(a / area, b / area) for a, b in weights]
    deep = [slopes[0][k] * (z[1] - z[0]) + slopes[1][k] * (z[2] - z[0]) for k in range(2)]
    for (a, b), constant in ((slopes[0], 0), (slopes[1], 0), (deep, z[0])):
        rows += [a, b, constant - a * x[0] - b * y[0]]
    return torch.stack(rows)


def _least(values: Tensor) -> Tensor:
    return torch.minimum(torch.minimum(values[0], values[1]), values[2])


def _most(values: Tensor) -> Tensor:
    return torch.maximum(torch.maximum(values[0], values[1]), values[2])


def _expand(first: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Runs of integers: for each i, counts[i] of them from first[i]; returns owners and integers."""
    owner = torch.repeat_interleave(counts)
    begin = counts.cumsum(0) - counts
    return owner, torch.arange(len(owner), device=counts.device) + (first - begin).index_select(0, owner)
