"""LPIPS, the perceptual distance of two images. The network's weights are read from files, never downloaded."""

from __future__ import annotations

import importlib.util
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.errors import MissingError, pip_install
from bench.images import ByteImages, to_float
from bench.types import WeightsFile
from bench.weights import hub_file, load_into, load_state_dict, torch_home

BACKBONE = "alexnet-owt-7be5be79.pth"
HOW_TO_GET = (
    f"Fetch {BACKBONE} (torchvision's AlexNet_Weights.IMAGENET1K_V1, 233 MB) from download.pytorch.org/models into the "
    "folder hub/checkpoints of torch's cache, or pass alexnet=PATH."
)
_NO_PACKAGE = f"the package lpips is not installed ({pip_install('lpips')})"


def backbone_files(path: Path | None) -> tuple[WeightsFile, ...]:
    """AlexNet's weights with their digest, for a protocol's record; empty where no file is given and torch has none.

    Args:
        path: the file; None takes torch's, if it exists.

    Raises:
        MissingError: a file is given, and it or the package lpips is missing.
        DataError: torch's file is damaged.
    """
    if path is None and not default_backbone().is_file():
        return ()
    if path is not None and not _has_package():
        raise MissingError(f"LPIPS cannot be measured with {path}: {_NO_PACKAGE}.")
    return (hub_file(path or default_backbone(), BACKBONE, wanted_by="LPIPS", how_to_get=HOW_TO_GET),)


def default_backbone() -> Path:
    """Path of AlexNet in torch's folder of downloads."""
    return torch_home() / "hub" / "checkpoints" / BACKBONE


class PerceptualMeasure:
    """LPIPS (AlexNet, version 0.1) if the package and both weight files exist.

    Source: Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric.
    """

    def __init__(self, device: str = "cpu", backbone: Path | None = None) -> None:
        """Load the network, or keep the reason why it is missing.

        Args:
            device: torch device.
            backbone: AlexNet's weights of ImageNet; None takes torch's file.

        Raises:
            DataError: the weights are damaged or of another network.
        """
        self._device, self._network, self._missing = device, None, ""
        path = backbone or default_backbone()
        if not _has_package():
            self._missing = _NO_PACKAGE
        elif not path.is_file():
            self._missing = f"the weights {BACKBONE} are missing. {HOW_TO_GET.removesuffix('.')}"
        else:
            self._network, self._path = _load(path, device), path

    def compare(self, truth: ByteImages, image: ByteImages) -> dict[str, str | float]:
        """``lpips``, 0 or more, of two RGB images uint8 (h, w, 3); empty where it is not measured."""
        if self._network is None:
            return {}
        import torch

        left, right = (torch.from_numpy(to_float([x]) * 2 - 1).to(self._device) for x in (truth, image))
        with torch.inference_mode():
            return {"lpips": float(self._network(left, right).item())}

    def notes(self) -> tuple[str, ...]:
        """A warning if it could not be measured."""
        return (f"LPIPS was not measured: {self._missing}.",) if self._missing else ()

    def convention(self) -> dict[str, str]:
        """How it was measured, for the record; empty where it was not."""
        if self._network is None:
            return {}
        file = hub_file(self._path, BACKBONE, wanted_by="LPIPS", how_to_get=HOW_TO_GET)
        return {"lpips": f"AlexNet, version 0.1, package lpips {version('lpips')}; {file.name}, SHA-256 {file.sha256}"}


def _has_package() -> bool:
    return importlib.util.find_spec("lpips") is not None


def _load(backbone: Path, device: str) -> Any:
    """The package's network with torchvision's AlexNet from a file, which the package would download."""
    import lpips  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package uses deprecated arguments of torchvision
        network = lpips.LPIPS(net="alex", version="0.1", pnet_rand=True, verbose=False)
    state = load_state_dict(backbone)
    names = {name: f"features.{name.partition('.')[2]}" for name in network.net.state_dict()}  # slice1.0.weight there
    load_into(
        network.net, {name: state[stored] for name, stored in names.items() if stored in state}, origin=str(backbone)
    )
    return network.eval().to(device)
