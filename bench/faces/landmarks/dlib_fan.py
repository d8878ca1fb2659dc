"""Landmarkers of 68 points: dlib and FAN."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError, MissingError, pip_install
from bench.faces.landmarks.blazeface import BlazeFace
from bench.faces.landmarks.bundle import DETECTOR, FloatArray, find_bundle, read_member
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks, check_image, prominence
from bench.interfaces import ByteImages
from bench.io.file_digests import file_digest
from bench.io.torchscript import load_torchscript
from bench.weights import package_file, torch_home

_PACKAGE = "face_recognition_models"
_FILE = "models/shape_predictor_68_face_landmarks.dat"
_DLIB = (
    f"It comes inside the package face-recognition-models: {pip_install('face-recognition-models')}. Or pass "
    "weights=PATH of shape_predictor_68_face_landmarks.dat."
)
_FAN_FILE = "2DFAN4-cd938726ad.zip"
_FAN = "Pass weights=PATH of its 2DFAN4 TorchScript archive, which the package face-alignment downloads on first use."
_NAN = float("nan")


def fan_weights() -> Path | None:
    """FAN's archive where the package face-alignment has downloaded it, or None."""
    path = torch_home() / "hub" / "checkpoints" / _FAN_FILE
    return path if path.is_file() else None


class DlibLandmarker(Landmarker):
    """dlib's 68 points: HOG detector, then regression trees. Without depth, pose and expression.

    Source: Kazemi & Sullivan 2014, One millisecond face alignment; weights of dlib trained on iBUG 300-W.
    """

    def __init__(self, weights: Path | None = None, *, enlarge: int = 1) -> None:
        """Load the model.

        Args:
            weights: the .dat file; by default the one inside the package face_recognition_models.
            enlarge: number of times the image is doubled for the detector; 1 detects faces from 40 pixels.

        Raises:
            MissingError: there are no weights, or dlib is not installed.
            DataError: the weights are damaged.
        """
        path = weights or package_file(_PACKAGE, _FILE)
        if path is None or not path.is_file():
            raise MissingError(f"The landmarker dlib finds no weights{f' at {weights}' if weights else ''}. {_DLIB}")
        try:
            import dlib
        except ImportError:
            raise MissingError(f"The landmarker dlib needs the package dlib-bin: {pip_install('dlib-bin')}.") from None
        try:
            self._predict: Any = dlib.shape_predictor(str(path))
        except RuntimeError as error:
            raise DataError(f"{path} is not a shape predictor of dlib: {error}. {_DLIB}") from None
        self._detect: Any = dlib.get_frontal_face_detector()
        self._enlarge = enlarge

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        """Find the largest central face of each image; see `Landmarker.find`."""
        for image in images:
            check_image(image)
        return [self._find(np.ascontiguousarray(image)) for image in images]

    def _find(self, image: ByteImages) -> Landmarks | None:
        boxes = list(self._detect(image, self._enlarge))
        if not boxes:
            return None
        edges = [np.array([box.left(), box.top(), box.right() + 1, box.bottom() + 1], np.float64) for box in boxes]
        best = max(range(len(boxes)), key=lambda k: prominence(edges[k], image.shape[:2]))
        parts = self._predict(image, boxes[best]).parts()
        return flat(np.array([(part.x, part.y) for part in parts], np.float32), len(boxes))


class FanLandmarker(Landmarker):
    """FAN's 68 points in boxes of the bundle's detector. Without depth, pose and expression.

    Source: Bulat & Tzimiropoulos 2017, How far are we from solving the 2D & 3D face alignment problem?; crop and
    decoding of the package face-alignment.
    """

    def __init__(
        self,
        weights: Path,
        bundle: Path | None = None,
        *,
        threads: int = 1,
        device: str = "cpu",
        trusted: bool = False,
    ) -> None:
        """Load the network.

        Args:
            weights: the TorchScript archive of 2DFAN4.
            bundle: of the detector; by default that of this suite.
            threads: of the detector.
            device: torch device.
            trusted: whether the archive, which is executable code, may be run; the published one in torch's cache
                always may.

        Raises:
            MissingError: there are no weights, no bundle, or face-alignment is not installed.
            DataError: the weights are damaged, or not trusted.
        """
        if not weights.is_file():
            raise MissingError(f"The landmarker fan finds no weights at {weights}. {_FAN}")
        known = weights == fan_weights()
        if known and not file_digest(weights).startswith(weights.stem.rpartition("-")[2]):
            raise DataError(f"{weights} is damaged or another file: its SHA-256 does not match its name. {_FAN}")
        self._network = load_torchscript(
            weights, device=device, trusted=trusted or known, allow="use --unsafe-torchscript yes-i-trust-this-file"
        )
        try:
            from face_alignment.utils import crop, get_preds_fromhm
        except ImportError:
            raise MissingError(
                f"The landmarker fan needs the package face-alignment: {pip_install('face-alignment')}."
            ) from None
        self._crop, self._decode, self._device = crop, get_preds_fromhm, device
        path = find_bundle(bundle)
        self._detector = BlazeFace(read_member(path, DETECTOR), threads=threads, origin=f"{path}: {DETECTOR}")

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        """Find the largest central face of each image; see `Landmarker.find`."""
        for image in images:
            check_image(image)
        return [self._find(image) for image in images]

    def _find(self, image: ByteImages) -> Landmarks | None:
        import torch

        faces = self._detector.find(image, padding=0.125)
        if not faces:
            return None
        left, top, right, bottom = max(faces, key=lambda f: prominence(f.box, image.shape[:2])).box
        centre = torch.tensor([(left + right) / 2, (top + bottom) / 2 - 0.12 * (bottom - top)], dtype=torch.float32)
        scale = float(right - left + bottom - top) / 195  # the package's reference box
        chip = np.asarray(self._crop(image, centre, scale)).transpose(2, 0, 1)
        with torch.inference_mode():
            maps = self._network(torch.from_numpy(chip.copy()).to(self._device)[None].float() / 255).cpu().numpy()
        _, points, _ = self._decode(maps, centre.numpy(), scale)
        return flat(np.asarray(points[0], np.float32), len(faces))


def flat(points: FloatArray, faces: int) -> Landmarks:
    """Landmarks from 68 points (68, 2), without depth, pose, expression and confidence."""
    deep = np.column_stack([points, np.full(len(points), np.nan, np.float32)]).astype(np.float32)
    return Landmarks(deep, _NAN, _NAN, _NAN, np.zeros(0, np.float32), _NAN, faces)
