"""The views of a pack, rendered once and stored, so that training only moves and reduces them.

A folder of NumPy arrays, opened as memory maps: turned faces, frontal truths, and, for networks with flows, the
position of each point of the frontal face in the turned one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import DataError, UsageError
from bench.faces.landmarks.points import five_points, rotation
from bench.faces.pairs.pack import SIDE, Pack
from bench.faces.pairs.pairs import CELEBA_YAWS_DEG
from bench.faces.render.mesh import topology
from bench.faces.render.pose import normals, prepare, render_poses
from bench.faces.render.rasteriser import interpolate, rasterise
from bench.io.atomic import write_file

FLOW_SIDE = 32
FLOW_CHANNELS = 7
"""x, y of a frontal point in the view; x, y of the point opposite on the face; visibility of each of the two (0 hidden
to 1); coverage of the frontal pixel by the head. Positions in pixels of the view of 128."""

_SCALE = 64  # positions are stored in 64ths of a pixel
_VERSION = 1
_EVERY = 64  # faces between two updates of the progress file
_VISIBLE = 0.3  # cosine to the viewer from which a surface counts as fully visible


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """Which views of each face are rendered.

    Attributes:
        yaws_deg: fixed yaws, each to both sides.
        free: number of further views with random yaw and pitch.
        seed: of the random views.
        most_yaw_deg: their largest yaw.
        pitch_deg: standard deviation of their pitch.
    """

    yaws_deg: tuple[float, ...] = CELEBA_YAWS_DEG
    free: int = 4
    seed: int = 0
    most_yaw_deg: float = 80.0
    pitch_deg: float = 8.0

    def angles(self, face: int) -> NDArray[np.float32]:
        """Yaw and pitch of each view of a face, degrees, float32 (V, 2)."""
        rng = np.random.default_rng((self.seed, face, 0x7669))
        fixed = [(sign * yaw, 0.0) for yaw in self.yaws_deg for sign in (-1.0, 1.0)]
        yaws = rng.uniform(-self.most_yaw_deg, self.most_yaw_deg, self.free)
        yaws[: self.free // 2] *= 0.3  # half of them near the front, like most photographs
        pitches = np.clip(rng.normal(0, self.pitch_deg, self.free), -20, 20)
        return np.array([*fixed, *zip(yaws, pitches, strict=True)], np.float32)


class RenderedViews:
    """A folder of rendered views, opened for reading.

    Attributes:
        faces: int64 (F,), their indices in the pack.
        margin: width of the surroundings in pixels.
        wide: uint8 (F, s, s, 3), s of 128 + 2 * margin.
        frontal: uint8 (F, 128, 128, 3), the same without surroundings.
        view: uint8 (F, V, s, s, 3).
        flow: int16 (F, V, 7, 32, 32), see `FLOW_CHANNELS`.
        angles_deg: float32 (F, V, 2), yaw and pitch.
        landmarks: float32 (F, 68, 2).
        five: float32 (F, 5, 2).
    """

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            DataError: it is absent, unfinished or damaged.
        """
        try:
            self.facts: dict[str, Any] = json.loads((folder / "views.json").read_text(encoding="utf-8"))
            arrays = {
                name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
                for name in ("faces", "frontal", "view", "flow", "angles_deg", "landmarks", "five")
            }
            if not isinstance(self.facts, dict) or any(len(a) != len(arrays["faces"]) for a in arrays.values()):
                raise ValueError("their parts do not fit")
        except (OSError, ValueError, EOFError, TypeError) as error:
            raise DataError(
                f"{folder} holds no finished views ({error}). Render them again into an empty folder."
            ) from error
        self.faces, self.wide, self.view, self.flow = (arrays[k] for k in ("faces", "frontal", "view", "flow"))
        self.margin = (self.wide.shape[1] - SIDE) // 2
        inside = slice(self.margin, self.margin + SIDE)
        self.frontal = self.wide[:, inside, inside]
        self.angles_deg, self.landmarks, self.five = (arrays[k] for k in ("angles_deg", "landmarks", "five"))

    def __len__(self) -> int:
        return len(self.faces)


def render_views(
    pack: Pack,
    faces: Sequence[int] | NDArray[np.int64],
    folder: Path,
    *,
    plan: ViewPlan | None = None,
    digest: str = "",
    advance: Callable[[int], None] = lambda done: None,
) -> RenderedViews:
    """Render the views of some faces of a pack, or continue a stopped rendering.

    Args:
        pack: the photographs.
        faces: their indices.
        folder: folder of the arrays; finished views of the same plan are left unchanged.
        plan: which views.
        digest: digest of the pack's file, to refuse views of another pack.
        advance: called with 1 after each face.

    Raises:
        UsageError: no face, or a plan without views.
        DataError: the folder holds other views, or damaged ones.
    """
    chosen, rows = plan or ViewPlan(), np.asarray(faces, np.int64)
    if not len(rows) or not len(chosen.angles(0)):
        raise UsageError(f"There is nothing to render: {len(rows)} faces, {len(chosen.angles(0))} views of each")
    facts = {"version": _VERSION, "pack": digest, "faces": len(rows), "plan": json.loads(json.dumps(asdict(chosen)))}
    done_mark, begun = folder / "views.json", folder / "begun.json"
    for mark in (done_mark, begun):
        if mark.is_file() and not _same(mark, facts, rows):
            raise DataError(f"{folder} holds views of another pack or plan. Name another folder, or remove that one.")
    if not done_mark.is_file():
        _render_missing(pack, rows, folder, chosen, facts, advance)
    return RenderedViews(folder)


def _same(mark: Path, facts: dict[str, Any], faces: NDArray[np.int64]) -> bool:
    """Whether the facts and the list of faces in a folder are the given ones."""
    try:
        state = json.loads(mark.read_text(encoding="utf-8"))
        there = np.load(mark.with_name("faces.npy"), allow_pickle=False)
        return bool(state["facts"] == facts and np.array_equal(there, faces))
    except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
        raise DataError(f"{mark.parent} holds damaged views ({error!r}). Remove it, or name another folder.") from error


def _render_missing(
    pack: Pack,
    faces: NDArray[np.int64],
    folder: Path,
    plan: ViewPlan,
    facts: dict[str, Any],
    advance: Callable[[int], None],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    begun, count, many = folder / "begun.json", len(faces), len(plan.angles(0))
    state: dict[str, Any] = {"facts": facts, "done": 0}
    margin = np.array([pack.margin, pack.margin, 0], np.float32)
    side = SIDE + 2 * pack.margin
    shapes: dict[str, tuple[type, tuple[int, ...]]] = {
        "frontal": (np.uint8, (count, side, side, 3)),
        "view": (np.uint8, (count, many, side, side, 3)),
        "flow": (np.int16, (count, many, FLOW_CHANNELS, FLOW_SIDE, FLOW_SIDE)),
        "angles_deg": (np.float32, (count, many, 2)),
        "landmarks": (np.float32, (count, 68, 2)),
        "five": (np.float32, (count, 5, 2)),
    }
    mode = "r+" if begun.is_file() else "w+"
    if mode == "r+":
        state = json.loads(begun.read_text(encoding="utf-8"))
    else:
        np.save(folder / "faces.npy", faces)
    try:
        out = {
            name: np.lib.format.open_memmap(folder / f"{name}.npy", mode, dtype=kind, shape=shape)
            for name, (kind, shape) in shapes.items()
        }
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} holds damaged views ({error}). Remove it, or name another folder.") from error
    advance(state["done"])
    for row in range(state["done"], count):
        face, landmarks = pack.with_surroundings(int(faces[row]))
        angles = plan.angles(int(faces[row]))
        turns = [rotation(float(yaw), float(pitch)) for yaw, pitch in angles]
        portrait = prepare(face, landmarks, side, oversample=1)
        out["frontal"][row], out["angles_deg"][row] = face, angles
        out["view"][row] = render_poses([portrait], turns)
        mesh = portrait.mesh
        out["flow"][row] = frontal_flow(mesh.vertices - margin, mesh.alpha, mesh.pivot - margin, turns)
        out["landmarks"][row] = pack.sixty_eight(int(faces[row]))
        out["five"][row] = five_points(landmarks.points - margin)[:, :2]
        advance(1)
        if row % _EVERY == _EVERY - 1 or row + 1 == count:
            for array in out.values():
                array.flush()
            write_file(begun, json.dumps({"facts": facts, "done": row + 1}))
    write_file(folder / "views.json", json.dumps({"facts": facts}))
    begun.unlink()


def frontal_flow(
    vertices: NDArray[np.float32],
    alpha: NDArray[np.float32],
    pivot: NDArray[np.float32],
    turns: Sequence[NDArray[np.float64]],
) -> NDArray[np.int16]:
    """Positions of the points of a frontal head in its turned views.

    Args:
        vertices: float32 (V, 3), the head in pixels of a 128 x 128 photograph.
        alpha: float32 (V,), opacity.
        pivot: float32 (3,), centre of the rotation.
        turns: T rotations (3, 3).

    Returns:
        int16 (T, 7, 32, 32), see `FLOW_CHANNELS`; positions in 64ths of a pixel, the rest in 64ths. Background
        points do not move.
    """
    import torch

    shape = topology()
    triangles, mirror = torch.from_numpy(shape.triangles), torch.from_numpy(shape.mirror)
    points = torch.from_numpy(vertices)[None]
    around = torch.from_numpy(pivot)
    matrices = torch.from_numpy(np.stack(turns).astype(np.float32))
    turned = (points - around) @ matrices.mT + around
    seen = (-normals(turned, triangles)[:, :, 2:] / _VISIBLE).clamp(0, 1)
    each = torch.cat([turned[:, :, :2], turned[:, mirror, :2], seen, seen[:, mirror]], 2)
    flat = each.permute(1, 0, 2).reshape(1, len(vertices), -1)
    step = SIDE / FLOW_SIDE
    small = torch.cat([(points[..., :2] + 0.5) / step - 0.5, points[..., 2:] / step], 2)
    raster = rasterise(small, triangles, FLOW_SIDE)
    cover = interpolate(raster, triangles, torch.from_numpy(alpha)[None, :, None])[0]
    values = interpolate(raster, triangles, flat)[0].reshape(len(turns), 6, FLOW_SIDE, FLOW_SIDE)
    centres = (torch.arange(FLOW_SIDE) + 0.5) * step - 0.5
    x, y = centres.expand(FLOW_SIDE, FLOW_SIDE), centres[:, None].expand(FLOW_SIDE, FLOW_SIDE)
    one = torch.ones_like(x)
    still = torch.stack([x, y, SIDE - 1 - x, y, one, one])
    mixed = torch.where(raster.covered, values * cover + still * (1 - cover), still)
    whole = torch.cat([mixed, cover[None].expand(len(turns), 1, FLOW_SIDE, FLOW_SIDE)], 1)
    return np.asarray((whole * _SCALE).round().clamp(-32768, 32767).to(torch.int16).numpy())


def flow_to_float(stored: NDArray[np.int16]) -> NDArray[np.float32]:
    """Undo the storage of `frontal_flow`."""
    return stored.astype(np.float32) / np.float32(_SCALE)
