from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.faces.landmarks.bundle import BUNDLE, DETECTOR, GEOMETRY, LANDMARKS, canonical_mesh, find_bundle, read_member
from bench.faces.landmarks.mediapipe import FaceLandmarker


def rewritten(source: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = changes.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


def test_the_canonical_mesh_is_a_symmetric_disc_that_faces_the_camera(bundle: Path) -> None:
    mesh = canonical_mesh(bundle)
    assert mesh.vertices.shape == (468, 3) and mesh.triangles.shape == (898, 3)
    edges = Counter(tuple(sorted((int(t[k]), int(t[k - 1])))) for t in mesh.triangles for k in range(3))
    assert max(edges.values()) == 2
    assert 468 - len(edges) + 898 == 1, "Euler's number of a disc"
    nose, chin, brow = mesh.vertices[1], mesh.vertices[152], mesh.vertices[10]
    assert nose[2] == pytest.approx(mesh.vertices[:, 2].min(), abs=0.3), "the nose is nearest to the camera"
    assert chin[1] > nose[1] > brow[1], "y points down"
    mirrored = mesh.vertices * [-1, 1, 1]
    assert np.square(mesh.vertices[:, None] - mirrored[None]).sum(2).min(0).max() < 1e-6


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nothing.task"):
        find_bundle(tmp_path / "nothing.task")


def test_a_file_that_is_no_zip_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "face.task").write_bytes(b"not a bundle" * 10)
    with pytest.raises(DataError, match="face.task is damaged"):
        read_member(tmp_path / "face.task", DETECTOR)


def test_a_bundle_without_a_network_is_a_data_error(bundle: Path, tmp_path: Path) -> None:
    path = rewritten(bundle, tmp_path / "cut.task", {LANDMARKS: None})
    with pytest.raises(DataError, match="holds no face_landmarks_detector.tflite"):
        FaceLandmarker(path)


def test_a_truncated_bundle_is_a_data_error(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "short.task"
    path.write_bytes(bundle.read_bytes()[:100_000])
    with pytest.raises(DataError, match="damaged"):
        FaceLandmarker(path)


def test_a_changed_byte_is_a_data_error(bundle: Path, tmp_path: Path) -> None:
    data = bytearray(bundle.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        data[archive.getinfo(GEOMETRY).header_offset + 2000] ^= 0xFF
    (tmp_path / "flip.task").write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        canonical_mesh(tmp_path / "flip.task")


def test_a_network_that_litert_cannot_read_is_a_data_error(bundle: Path, tmp_path: Path) -> None:
    path = rewritten(bundle, tmp_path / "bad.task", {DETECTOR: b"\0" * 4096})
    with pytest.raises(DataError, match="face_detector.tflite cannot be read by LiteRT"):
        FaceLandmarker(path)


@pytest.mark.parametrize("keep", [0, 1, 500, 19_000])
def test_geometry_that_is_cut_is_a_data_error(bundle: Path, tmp_path: Path, keep: int) -> None:
    path = rewritten(bundle, tmp_path / "geometry.task", {GEOMETRY: read_member(bundle, GEOMETRY)[:keep]})
    with pytest.raises(DataError, match="geometry cannot be read"):
        canonical_mesh(path)


def test_the_bundle_of_the_suite_is_the_published_one_and_its_card_names_its_digest() -> None:
    digest = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
    assert digest == "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
    card = BUNDLE.with_suffix(".md").read_text(encoding="utf-8")
    assert digest in card and "Apache License 2.0" in card
    assert find_bundle() == BUNDLE


def test_the_mesh_that_drawing_uses_is_the_one_of_the_bundle() -> None:
    assert read_member(BUNDLE, GEOMETRY) == BUNDLE.with_name("canonical_face.binarypb").read_bytes()
