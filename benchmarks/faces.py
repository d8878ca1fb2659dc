"""The face engine in figures: renderer, round trip, holes, landmarks, and what a turned face is still worth.

    BENCH_DATA=DIR python benchmarks/faces.py [speed] [roundtrip] [landmarks] [identity] [--device cpu]

Reads ``DIR/utkface`` and ``DIR/lfw``; without a part named, all are measured. Nothing is written.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from bench.align.chips import chip_by_points
from bench.faces.landmarks.dlib_fan import DlibLandmarker
from bench.faces.landmarks.mediapipe import FaceLandmarker, Landmarks, why_unusable
from bench.faces.landmarks.points import five_points, rotation, sixty_eight_points
from bench.faces.render.mesh import topology
from bench.faces.render.pose import Portrait, frontalise, prepare, render_poses
from bench.faces.render.rasteriser import render
from bench.images import read_image, resize
from bench.interfaces import ByteImages
from bench.recognisers.sface import SFace

YAWS = (-90, -75, -55, -40, -22, 0, 22, 40, 55, 75, 90)
SIZE = 128


def main() -> None:
    """Measure and print."""
    parts = {"speed": speed, "roundtrip": roundtrip, "landmarks": landmarks, "identity": identity}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*parts, []], default=[])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = Path(os.environ.get("BENCH_DATA", "/nowhere"))
    if not data.is_dir():
        sys.exit(f"BENCH_DATA is {data}, which is no folder with utkface and lfw inside")
    for name in arguments.parts or parts:
        print(f"== {name}")
        parts[name](data, arguments.device)


def photographs(folder: Path, count: int) -> list[ByteImages]:
    """Photographs spread evenly over a folder's sorted names."""
    files = sorted(folder.rglob("*.jpg"))
    if len(files) < count:
        sys.exit(f"{folder} holds {len(files)} photographs, not {count}")
    return [read_image(files[k * len(files) // count]) for k in range(count)]


def usable(data: Path, count: int) -> list[tuple[ByteImages, Landmarks]]:
    """Near-frontal UTKFace photographs with their landmarks; says what was left out and why."""
    photos = photographs(data / "utkface", count + count // 4)
    pairs = list(zip(photos, FaceLandmarker().find(photos), strict=True))
    reasons = [why_unusable(found, *photo.shape[:2]) for photo, found in pairs]
    kept = [(p, f) for (p, f), reason in zip(pairs, reasons, strict=True) if reason is None and f is not None]
    print(f"usable {len(kept)} of {len(pairs)}:", {r: reasons.count(r) for r in sorted({r for r in reasons if r})})
    return kept[:count]


def naive(vertices: NDArray[np.float32], triangles: NDArray[np.int64], uv: NDArray[np.float32], photo: ByteImages):
    """The reference to compare with: one warp for each triangle, drawn from back to front."""
    canvas = np.zeros((SIZE, SIZE, 3), np.uint8)
    for triangle in triangles[np.argsort(-vertices[triangles][:, :, 2].mean(1))]:
        corners = vertices[triangle, :2]
        (ax, ay), (bx, by) = corners[1] - corners[0], corners[2] - corners[0]
        low = np.maximum(np.floor(corners.min(0)), 0).astype(int)
        high = np.minimum(np.ceil(corners.max(0)) + 1, SIZE).astype(int)
        if ax * by >= ay * bx or (high <= low).any():
            continue
        width, height = (int(v) for v in high - low)
        local = (corners - low).astype(np.float32)
        matrix = cv2.getAffineTransform(uv[triangle], local)
        patch = cv2.warpAffine(photo, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(mask, np.rint(local).astype(np.int32), 1)
        cv2.copyTo(patch, mask, canvas[low[1] : high[1], low[0] : high[0]])
    return canvas


def speed(data: Path, device: str) -> None:
    """Views a second: the renderer, the whole of `views`, and the naive loop, taking turns in one run."""
    photo, found = usable(data, 4)[0]
    portrait = prepare(photo, found, SIZE, oversample=1)
    shape, mesh = topology(), portrait.mesh
    turns = [rotation(yaw) for yaw in np.linspace(-75, 75, 64)]
    turned = np.stack([(mesh.vertices - mesh.pivot) @ turn.T + mesh.pivot for turn in turns]).astype(np.float32)
    vertices, triangles = torch.from_numpy(turned).to(device), torch.from_numpy(shape.triangles).to(device)
    uv = torch.from_numpy(mesh.uv).to(device)[None].expand(64, -1, -1)
    texture = torch.from_numpy(portrait.texture).to(device)[None].expand(64, -1, -1, -1)
    canvas = resize(photo, SIZE, SIZE)
    fine = prepare(photo, found, SIZE)

    def timed(what) -> tuple[float, float]:
        if device != "cpu":
            torch.cuda.synchronize()
        start, busy = time.perf_counter(), time.process_time()
        what()
        if device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter() - start, time.process_time() - busy

    rows = []
    for _ in range(10):
        rows.append(
            [
                np.array(timed(what)) / count
                for what, count in (
                    (lambda: render(vertices, triangles, uv, texture, SIZE), 64),
                    (lambda: render_poses([portrait], turns, device=device), 64),
                    (lambda: render_poses([fine], turns, device=device), 64),
                    (lambda: [naive(turned[k], shape.triangles, mesh.uv, canvas) for k in range(0, 64, 8)], 8),
                )
            ]
        )
    image, _, seen = render(vertices, triangles, uv, texture, SIZE)
    differences = []
    for k in range(0, 64, 8):
        ours = (image[k].permute(1, 2, 0).cpu().numpy() * 255).round()
        painted = naive(turned[k], shape.triangles, mesh.uv, canvas)
        inside = ndimage.binary_erosion(seen[k].cpu().numpy(), iterations=2)
        differences.append(np.abs(ours - painted)[inside].mean())
    table = np.array(rows)[1:]  # rounds, what, wall and processor seconds
    for k, name in enumerate(("render", "views, plain", "views, oversampled by 2", "naive loop")):
        wall, busy = table[:, k].T
        ratio = table[:, 3] / table[:, k]
        print(
            f"{name:<24} best {1 / wall.min():7.1f} views/s, median {1 / np.median(wall):7.1f}; processor "
            f"{np.median(busy) * 1000:6.2f} ms a view; naive / this: wall {np.median(ratio[:, 0]):5.1f}, processor "
            f"{np.median(ratio[:, 1]):5.1f}"
        )
    print(f"mean difference to the naive loop inside the head: {np.mean(differences):.2f} levels of 255")


def turned_head(portrait: Portrait, turn: NDArray[np.float64]) -> NDArray[np.float32]:
    """The head's vertices in pixels of the view."""
    mesh = portrait.mesh
    vertices = (mesh.vertices - mesh.pivot) @ turn.T + mesh.pivot
    return ((vertices + 0.5) / portrait.oversample - 0.5).astype(np.float32)


def turned_points(portrait: Portrait, turn: NDArray[np.float64]) -> NDArray[np.float32]:
    """Where the five points come to lie; eyes are the middles of their corners, the mesh having no irises."""
    head = turned_head(portrait, turn)
    return np.stack([head[[33, 133]].mean(0), head[[362, 263]].mean(0), head[1], head[61], head[291]])[:, :2]


def inside_face(portrait: Portrait) -> NDArray[np.bool_]:
    """Pixels of the canvas where the face itself is seen."""
    shape = topology()
    vertices = torch.from_numpy(turned_head(portrait, np.eye(3)))[None]
    seen = render(vertices, torch.from_numpy(shape.face), vertices[:, :, :2], torch.zeros(1, 3, 1, 1), portrait.size)[2]
    return seen[0].numpy()


def psnr(one: ByteImages, two: ByteImages, where: NDArray[np.bool_]) -> float:
    """Peak signal-to-noise ratio of the pixels chosen."""
    error = np.square(one[where].astype(np.float64) - two[where]).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-12)))


def roundtrip(data: Path, device: str) -> None:
    """PSNR of the view at 0 degrees inside the face, there-and-back, and holes at every yaw."""
    still, back, plain, holes = [], {yaw: [] for yaw in YAWS}, {yaw: [] for yaw in YAWS}, dict.fromkeys(YAWS, 0)
    engine = FaceLandmarker()
    for photo, found in usable(data, 100):
        portrait = prepare(photo, found, SIZE)
        turned = render_poses([portrait], [rotation(yaw) for yaw in YAWS], device=device)
        truth, face = resize(photo, SIZE, SIZE), inside_face(portrait)
        still.append(psnr(turned[YAWS.index(0)], truth, face))
        shape = topology()
        for yaw, view in zip(YAWS, turned, strict=True):
            head = torch.from_numpy(turned_head(portrait, rotation(yaw)))[None]
            seen = render(head, torch.from_numpy(shape.triangles), head[:, :, :2], torch.zeros(1, 3, 1, 1), SIZE)[2][0]
            holes[yaw] += int((ndimage.binary_fill_holes(seen.numpy()) & ~seen.numpy()).sum())
            again = engine.find([view])[0]
            if yaw and again is not None:
                back[yaw].append(psnr(frontalise(view, again, SIZE), truth, face))
                plain[yaw].append(psnr(view, truth, face))
    print(f"0 degrees: PSNR inside the face median {np.median(still):.1f} dB, least {min(still):.1f} dB")
    print("holes inside the head, pixels summed over 100 faces:", holes)
    print(
        "frontalised again, median PSNR (found):", {y: f"{np.median(v):.1f} ({len(v)})" for y, v in back.items() if v}
    )
    print("the turned view itself:", {y: f"{np.median(v):.1f}" for y, v in plain.items() if v})


def landmarks(data: Path, device: str) -> None:
    """Against dlib's 68 points on 500 LFW photographs, divided by the distance of dlib's eye centres."""
    photos = photographs(data / "lfw", 500)
    engine = FaceLandmarker()
    engine.find(photos[:2])
    start = time.perf_counter()
    ours = engine.find(photos)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    theirs = DlibLandmarker(enlarge=0).find(photos)
    slow = time.perf_counter() - start
    print(
        f"found {sum(f is not None for f in ours)} of 500, {seconds * 2:.1f} ms a photograph; several faces in", end=" "
    )
    print(f"{sum(f.faces > 1 for f in ours if f)}; dlib {sum(f is not None for f in theirs)}, {slow * 2:.1f} ms")
    errors, eyes = [], []
    for one, two in zip(ours, theirs, strict=True):
        if one is None or two is None:
            continue
        right, left = five_points(two.points)[:2]
        unit = float(np.linalg.norm(left - right))
        errors.append(np.linalg.norm(sixty_eight_points(one.points)[:, :2] - two.points[:, :2], axis=1) / unit)
        eyes.append(np.linalg.norm(five_points(one.points)[:2] - five_points(two.points)[:2], axis=1).mean() / unit)
    table = np.array(errors)
    other = table.mean(1) > 0.5
    print(f"both found {len(table)}; another face was chosen in {other.sum()}, left out below")
    table = table[~other]
    print(f"normalised mean error: 68 points {table.mean():.2%} (median face {np.median(table.mean(1)):.2%}), ", end="")
    print(f"51 inner points {table[:, 17:].mean():.2%}, jaw {table[:, :17].mean():.2%}, ", end="")
    print(f"eye centres {np.array(eyes)[~other].mean():.2%}")


def identity(data: Path, device: str) -> None:
    """SFace similarity of each view to its own frontal photograph, beside that of different people."""
    people = usable(data, 500)
    sface = SFace(threads=1)
    engine = FaceLandmarker()

    def embedded(images: list[ByteImages], points: list[NDArray[np.float32]]) -> NDArray[np.float64]:
        chips = [chip_by_points(i, p, sface.face, without="")[0] for i, p in zip(images, points, strict=True)]
        rows = np.concatenate([sface.embed(np.stack(chips[k : k + 64])) for k in range(0, len(chips), 64)])
        rows = rows.astype(np.float64)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    gallery = embedded([photo for photo, _ in people], [five_points(found.points) for _, found in people])
    impostors = (gallery @ gallery.T)[~np.eye(len(people), dtype=bool)]
    print(f"different people, frontal: mean {impostors.mean():.3f}, 99th percentile {np.percentile(impostors, 99):.3f}")
    portraits = [prepare(photo, found, SIZE) for photo, found in people]
    for yaw in YAWS:
        if yaw < 0:
            continue
        turn = rotation(yaw)
        shots = [render_poses([portrait], [turn], device=device)[0] for portrait in portraits]
        points = [turned_points(portrait, turn) for portrait in portraits]
        rows = embedded(shots, points)
        own = (rows * gallery).sum(1)
        rank = (rows @ gallery.T).argmax(1) == np.arange(len(people))
        again = engine.find(shots)
        other = (rows @ gallery.T)[~np.eye(len(people), dtype=bool)]
        measured = [f.yaw_deg - s.yaw_deg for f, (_, s) in zip(again, people, strict=True) if f is not None]
        print(
            f"{yaw:>3} degrees: own {own.mean():.3f} (10th percentile {np.percentile(own, 10):.3f}), others "
            f"{other.mean():.3f}, rank-1 {rank.mean():.1%} of {len(people)}; face found again in {len(measured)}, "
            f"turned by {np.median(measured) if measured else float('nan'):.0f} degrees as measured"
        )


if __name__ == "__main__":
    main()
