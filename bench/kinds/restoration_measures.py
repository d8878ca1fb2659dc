"""What is measured of a restored face beside its truth: quality, landmarks, perceptual distance."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import MissingError
from bench.images import ByteImages, to_float
from bench.metrics.quality import psnr_rgb_db, psnr_y_db, ssim_rgb_wang, ssim_y_wang
from bench.types import Cut

if TYPE_CHECKING:
    from bench.faces.landmarks import Landmarker

Values = dict[str, str | float]
_BACKBONE = "alexnet-owt-7be5be79.pth"  # torchvision's name for it in torch's folder of weights


def quality(truth: ByteImages, image: ByteImages) -> Values:
    """PSNR and SSIM, of RGB and of luma; an infinite PSNR is the text ``inf``.

    Raises:
        DataError: the images have less than 11 pixels a side, or other sizes than each other.
    """
    values = {
        "psnr_rgb_db": psnr_rgb_db(truth, image),
        "psnr_y_db": psnr_y_db(truth, image),
        "ssim_rgb_wang": ssim_rgb_wang(truth, image),
        "ssim_y": ssim_y_wang(truth, image),
    }
    return {name: value if math.isfinite(value) else "inf" for name, value in values.items()}


def landmark_error(truth: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """Mean distance of points over the distance of the truth's eyes.

    Args:
        truth: 478 points of the mesh, float32 (478, 2 or more); or 68 points.
        found: as many points of the restored face, in the same pixels.

    Returns:
        A fraction of the distance between the centres of the eyes, over 68 points. NaN where the eyes coincide.
    """
    from bench.faces.views import five_points, sixty_eight_points

    eyes = five_points(truth)[:2].astype(np.float64)
    apart = float(np.hypot(*(eyes[1] - eyes[0])))
    moved = sixty_eight_points(truth)[:, :2].astype(np.float64) - sixty_eight_points(found)[:, :2]
    return float(np.hypot(moved[:, 0], moved[:, 1]).mean() / apart) if apart > 0 else math.nan


class LandmarkMeasure:
    """Finds the points of truth and restored face by the face engine; measures nothing where that is not installed."""

    def __init__(self, landmarker: Landmarker | None = None) -> None:
        """Load the engine, unless one is given."""
        self._missing = ""
        self._landmarker = landmarker
        self._true: tuple[object, NDArray[np.float32] | None] | None = None
        self._without = 0
        if landmarker is None:
            try:
                from bench.faces.landmarks import FaceLandmarker

                self._landmarker = FaceLandmarker()
            except MissingError as error:
                self._missing = str(error).partition("\n")[0]

    def compare(self, path: Path, cut: Cut | None, truth: ByteImages, image: ByteImages) -> Values:
        """``landmarks_found`` (1 or 0) and, where found, ``landmark_error``; nothing without points of the truth.

        Args:
            path: of the truth; its points are kept until another truth comes.
            cut: of the truth.
            truth: RGB uint8 (h, w, 3).
            image: RGB uint8 (h, w, 3), what was made.
        """
        if self._landmarker is None:
            return {}
        if self._true is None or self._true[0] != (path, cut):
            self._true = ((path, cut), self._points(truth))
        true = self._true[1]
        if true is None:
            self._without += 1
            return {}
        found = self._points(image)
        error = math.nan if found is None else landmark_error(true, found)
        return {"landmarks_found": 1.0, "landmark_error": error} if math.isfinite(error) else {"landmarks_found": 0.0}

    def notes(self) -> tuple[str, ...]:
        """Sentences about what could not be measured."""
        if self._missing:
            return (f"Landmarks were not measured: {self._missing}",)
        return (f"No landmarks were found in the truths of {self._without:,} faces.",) if self._without else ()

    def _points(self, image: ByteImages) -> NDArray[np.float32] | None:
        found = self._landmarker.find([image])[0] if self._landmarker else None
        return None if found is None else found.points


class PerceptualMeasure:
    """LPIPS (AlexNet, version 0.1) where the package and both weight files are there; nothing is downloaded.

    Source: Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric.
    """

    def __init__(self, device: str = "cpu") -> None:
        """Load the network, or note why not."""
        self._device, self._network, self._missing = device, None, ""
        if importlib.util.find_spec("lpips") is None:
            self._missing = "the package lpips is not installed"
            return
        import torch

        backbone = Path(torch.hub.get_dir()) / "checkpoints" / _BACKBONE
        if not backbone.is_file():
            self._missing = f"the weights {_BACKBONE} are not in torch's folder of checkpoints"
            return
        self._network = _load_lpips(backbone, device)

    def compare(self, truth: ByteImages, image: ByteImages) -> Values:
        """``lpips``, or nothing."""
        if self._network is None:
            return {}
        import torch

        left, right = (torch.from_numpy(to_float([x]) * 2 - 1).to(self._device) for x in (truth, image))
        with torch.inference_mode():
            return {"lpips": float(self._network(left, right).item())}

    def notes(self) -> tuple[str, ...]:
        """A sentence where it could not be measured."""
        return (f"LPIPS was not measured: {self._missing}.",) if self._missing else ()


def _load_lpips(backbone: Path, device: str) -> Any:
    """The network with torchvision's AlexNet from a file: the package itself would download it, and unpickle it."""
    import lpips  # type: ignore[import-not-found]  # optional
    import torch

    network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    state = torch.load(backbone, map_location="cpu", weights_only=True)
    with torch.no_grad():
        for name, parameter in network.net.named_parameters():  # slice1.0.weight is features.0.weight there
            parameter.copy_(state[f"features.{name.partition('.')[2]}"])
    return network.eval().to(device)
