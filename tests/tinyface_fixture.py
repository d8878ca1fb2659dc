"""Draw a small TinyFace in the official layout: for tests, and for trying the commands without the data set."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from bench.checks.toy_faces import draw_face

FIRST_IDENTITY, FIRST_TRAINING, FIRST_DISTRACTOR = 1, 5001, 1_000_001


def write_tinyface(
    root: Path,
    *,
    identities: int = 6,
    gallery_per_identity: int = 2,
    probes_per_identity: int = 2,
    distractors: int = 10,
    training_identities: int = 2,
    seed: int = 0,
) -> Path:
    """Write drawn faces of 12 to 36 pixels as a TinyFace release; the same arguments give the same images."""
    rng = np.random.default_rng(seed)
    test = root / "Testing_Set"
    roles: dict[str, list[tuple[str, int]]] = {"Gallery_Match": [], "Probe": []}
    for identity in range(FIRST_IDENTITY, FIRST_IDENTITY + identities):
        for image in range(gallery_per_identity + probes_per_identity):
            folder = "Gallery_Match" if image < gallery_per_identity else "Probe"
            name = f"{identity}_{image + 1}.jpg"
            _write(test / folder / name, draw_face(seed * 10_000 + identity, image, 64), rng)
            roles[folder].append((name, identity))
    for number in range(FIRST_DISTRACTOR, FIRST_DISTRACTOR + distractors):
        _write(test / "Gallery_Distractor" / f"{number}.jpg", draw_face(seed * 10_000 + number, 0, 64), rng)
    for identity in range(FIRST_TRAINING, FIRST_TRAINING + training_identities):
        for image in range(2):
            face = draw_face(seed * 10_000 + identity, image, 64)
            _write(root / "Training_Set" / str(identity) / f"{identity}_{image + 1}.jpg", face, rng)
    write_mat(test / "gallery_match_img_ID_pairs.mat", "gallery", roles["Gallery_Match"])
    write_mat(test / "probe_img_ID_pairs.mat", "probe", roles["Probe"])
    return root


def write_mat(path: Path, prefix: str, pairs: list[tuple[str, int]]) -> None:
    """Write one of the two .mat files: names as a cell array (N, 1), identities as uint16 (N, 1)."""
    names = np.empty((len(pairs), 1), object)
    names[:, 0] = [name for name, _ in pairs]
    ids = np.array([[identity] for _, identity in pairs], np.uint16).reshape(-1, 1)
    savemat(path, {f"{prefix}_set": names, f"{prefix}_ids": ids})


def _write(path: Path, face: np.ndarray, rng: np.random.Generator) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    height = int(rng.integers(16, 37))
    width = max(12, height - int(rng.integers(0, 6)))
    small = Image.fromarray(face).resize((width, height), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=90)
    path.write_bytes(buffer.getvalue())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--identities", type=int, default=40)
    parser.add_argument("--distractors", type=int, default=100)
    arguments = parser.parse_args()
    print(write_tinyface(arguments.out, identities=arguments.identities, distractors=arguments.distractors))
