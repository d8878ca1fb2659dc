"""Fixtures of the protocols' tests. Samples that several tests read are made once, and are not to be changed."""

from __future__ import annotations

import hashlib
import importlib
import io
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.errors import DataError
from bench.faces.people.look import Look
from bench.images import ByteImages, resize
from bench.pipeline.reader import open_media
from bench.types import Media
from protocols.sample import Painter, SampleSummary, write_sample
from protocols.sample.avi import avi
from protocols.views.recipe import SIDE, Photograph
from protocols.views.turned import Turner, frame_points

Written = tuple[Path, SampleSummary]


def blocks(looks: Sequence[Look]) -> list[ByteImages]:
    """A painter for tests of names and lists: coarse blocks that depend on the look, no faces."""
    images = []
    for look in looks:
        rng = np.random.default_rng(list(hashlib.sha256(repr(look).encode()).digest()))
        coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
        rows = np.arange(look.size) * 8 // look.size
        images.append(coarse[np.ix_(rows, rows)])
    return images


@pytest.fixture(scope="session", autouse=True)
def cartoons() -> Iterator[None]:
    """Layouts are tested with the quick painter; the default one has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib.import_module("protocols.sample.painter"), "DEFAULT_PAINTER", "cartoon")
        yield


@pytest.fixture(scope="session")
def quick_painter() -> Painter:
    """See `blocks`."""
    return blocks


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Written]:
    """Write a sample, or hand out the one written before with the same arguments."""
    result: dict[str, Written] = {}
    folder = tmp_path_factory.mktemp("samples")

    def get(name: str, *, identities: int, seed: int = 3, **options: str) -> Written:
        key = f"{name}-{identities}-{seed}-{options}"
        if key not in result:
            out = folder / str(len(result))
            paint = blocks if name == "multipie" else None  # many images, none of which a test looks into
            summary = write_sample(name, out, identities=identities, seed=seed, paint=paint, options=options)
            result[key] = out, summary
        return result[key]

    return get


@pytest.fixture(scope="session")
def tree() -> Callable[[Path], dict[str, str]]:
    """Hashes of all files below a folder by their path in it."""

    def hashes(root: Path) -> dict[str, str]:
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    return hashes


@pytest.fixture
def root(small_tinyface: Path, tmp_path: Path) -> Path:
    """A copy of the drawn TinyFace that a test may break."""
    copy = tmp_path / "tinyface"
    shutil.copytree(small_tinyface, copy)
    return copy


TURNED_AWAY = 250
"""A picture whose first pixel is that red is no frontal face."""


@pytest.fixture
def quick_views(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Views are the photograph itself, darkened by yaw; returns the photographs that were rendered."""
    rendered: list[Path] = []
    monkeypatch.setattr("protocols.restoration.picture_roles.SMALLEST", 1)  # pictures here are tiny

    def render(self: Turner, photograph: Photograph, name: str) -> tuple[dict[str, Any], dict[str, ByteImages]]:
        rendered.append(photograph.path)
        five = frame_points(self.recipe.frame)
        try:
            image = open_media(Media("", photograph.path, "gallery", None, "", cut=photograph.cuts[0]))
        except DataError as error:
            return {"rejected": str(error)}, {}
        if image[0, 0, 0] >= TURNED_AWAY:
            return {"rejected": "not frontal"}, {}
        truth = resize(image, SIDE, SIDE)
        yaws = [sign * yaw for yaw in self.recipe.yaws_deg for sign in (-1.0, 1.0)]
        files = {f"yaw{yaw:+g}.png": yaw for yaw in yaws}
        record = {
            "five": five,
            "yaw_deg": 0.0,
            "views": [{"file": file, "yaw_deg": yaw, "five": five} for file, yaw in files.items()],
        }
        views = {file: (truth * (1 - abs(yaw) / 200)).astype(np.uint8) for file, yaw in files.items()}
        return record, {"truth.png": truth, **views}

    monkeypatch.setattr(Turner, "_render", render)
    return rendered


def picture(seed: int, *, frontal: bool = True, height: int = 36, width: int = 30) -> ByteImages:
    """Coarse blocks, different for every seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 230, (6, 6, 3), np.uint8)
    image = coarse[np.arange(height) * 6 // height][:, np.arange(width) * 6 // width].copy()
    image[:4, :4] = 40 if frontal else 255
    return image


def as_png(image: ByteImages) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def write_celeba(tmp_path: Path) -> Callable[..., Path]:
    """Write a CelebA of (identity, partition, frontal) in file order, in one of the layouts that go round."""

    def write(rows: Sequence[tuple[int, int, bool]], layout: str = "official") -> Path:
        root = tmp_path / "celeba"
        folders = {"official": "Img/img_align_celeba", "flat": "img_align_celeba"}
        folder = root / folders.get(layout, "img_align_celeba/img_align_celeba")
        folder.mkdir(parents=True)
        names = [f"{number:06d}.png" for number in range(1, len(rows) + 1)]
        for number, (name, (_, _, frontal)) in enumerate(zip(names, rows, strict=True)):
            (folder / name).write_bytes(as_png(picture(number, frontal=frontal)))
        anno, evaluation = (root / "Anno", root / "Eval") if layout == "official" else (root, root)
        for place in (anno, evaluation):
            place.mkdir(exist_ok=True)
        points = [[69, 109, 106, 113, 87 + number % 5, 142, 73, 152, 108, 154] for number in range(len(rows))]
        tables: dict[Path, tuple[list[list[int]], str]] = {
            anno / "identity_CelebA": ([[identity] for identity, _, _ in rows], "identity"),
            evaluation / "list_eval_partition": ([[part] for _, part, _ in rows], "partition"),
            anno / "list_landmarks_align_celeba": (points, " ".join("abcdefghij")),
        }
        for path, (table, header) in tables.items():
            if layout == "kaggle":
                head = ",".join(["image_id", *header.split()])
                body = [",".join([name, *map(str, row)]) for name, row in zip(names, table, strict=True)]
                path.with_suffix(".csv").write_text("\n".join([head, *body]) + "\n")
            else:
                head = f"{len(rows)}\n{header}\n" if "landmarks" in path.name else ""
                body = [f"{name}  " + " ".join(map(str, row)) for name, row in zip(names, table, strict=True)]
                path.with_suffix(".txt").write_text(head + "\n".join(body) + "\n")
        return root

    return write


@pytest.fixture
def add_session(tmp_path: Path) -> Callable[..., Path]:
    """Write one session of MMI and return its folder."""

    def add(
        number: int,
        subject: int,
        clip: int = 1,
        *,
        emotion: object = None,
        view: object = 0,
        frames: int = 10,
        markers: Sequence[tuple[int, int]] = (),
        still: bool = False,
        size: tuple[int, int] = (48, 40),
        sessions: str = "mmi/Sessions",
    ) -> Path:
        folder = tmp_path / sessions / str(number)
        folder.mkdir(parents=True)
        stem = f"S{subject:03d}-{clip:03d}"
        height, width = size
        pictures = [picture(1000 * number + i, height=height, width=width) for i in range(frames)]
        media = f"{stem}.{'png' if still else 'avi'}"
        (folder / media).write_bytes(as_png(pictures[0]) if still else avi(pictures, per_second=24, quality=95))
        (folder / "session.xml").write_text(
            f'<?xml version="1.0"?><session><track filename="{media}" view="{view}">'
            f'<annotation filename="{stem}.xml"/></track></session>'
        )
        tag = "" if emotion is None else f'<Metatag Name="Emotion" Value="{emotion}"/>'
        (folder / f"{stem}.xml").write_text(
            f'<Annotation><Metatag Name="Subject" Value="{subject}"/>{tag}<ActionUnit Number="12L"/></Annotation>'
        )
        if markers:
            marks = "".join(f'<Marker Frame="{frame}" Type="{kind}"/>' for frame, kind in markers)
            (folder / f"{stem}-oao_aucs.xml").write_text(
                f'<Annotation><ActionUnit Number="12">{marks}</ActionUnit></Annotation>'
            )
        return folder

    return add
