"""dlib's face recogniser, by torch (fast, batched) or by dlib itself (the reference)."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bench.align.templates import DLIB_150
from bench.errors import DataError, MissingError, pip_install
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.recognisers.networks.chips import check_chips, network_input
from bench.recognisers.networks.torch_network import TorchNetwork
from bench.weights import package_file, unchanged_weights, weights_file

if TYPE_CHECKING:
    from torch import nn

_PACKAGE = "face_recognition_models"
_FILE = "models/dlib_face_recognition_resnet_model_v1.dat"
_HOW_TO_GET = (
    f"It comes inside the package face-recognition-models: {pip_install('face-recognition-models')}. Or pass "
    "weights=PATH of dlib_face_recognition_resnet_model_v1.dat."
)


def _missing() -> str | None:
    return None if package_file(_PACKAGE, _FILE) else f"dlib's weights are not here. {_HOW_TO_GET}"


@RECOGNISERS.register(
    "dlib",
    summary="dlib's ResNet-29, 128-d, run in batches by torch; made for Euclidean distance.",
    source="King 2017, dlib 19.4 face recognition model (dlib_face_recognition_resnet_model_v1)",
    licence="weights CC0, dlib BSL-1.0",
    missing=_missing,
)
class Dlib(Recogniser):
    """The network that the package face_recognition uses; both engines read the same file."""

    face = DLIB_150
    embedding_size = 128
    colour = "RGB"
    scaling = "(x - (122.782, 117.001, 104.298)) / 256 (inside the network)"

    def __init__(
        self,
        *,
        engine: Literal["torch", "dlib"] = "torch",
        weights: Path | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the weights.

        Args:
            engine: ``torch``, or ``dlib`` for dlib's own code: one processor thread, some twenty times slower, equal to
                five decimals.
            weights: the .dat file; by default the one inside the package face_recognition_models.
            device: torch device; not looked at by the dlib engine.
            threads: processor threads for torch; 0 leaves its own choice.

        Raises:
            MissingError: there are no weights, or the engine's package is not installed.
        """
        path = weights or package_file(_PACKAGE, _FILE)
        if path is None:
            raise MissingError(f"Recogniser dlib finds no weights. {_HOW_TO_GET}")
        if engine == "dlib" and importlib.util.find_spec("dlib") is None:
            raise MissingError(f"Recogniser dlib:engine=dlib wants the package dlib: {pip_install('dlib-bin')}.")
        self.weights = (weights_file(path, wanted_by="Recogniser dlib", how_to_get=_HOW_TO_GET),)
        self._path = path
        self._engine = engine
        self._network = TorchNetwork(self._build, device=device, threads=threads)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        if self._engine == "dlib":
            return {**super().execution(), "device": "cpu", "batch": "one image a call"}
        return {**super().execution(), **self._network.execution()}

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, 150, 150, 3) as float32 (N, 128)."""
        check_chips(chips, self.face, recogniser="dlib")
        if self._engine == "torch":
            return self._network.run(network_input(chips, colour="RGB", mean=(0,), std=(1,)))
        rows = [self._reference.compute_face_descriptor(np.ascontiguousarray(chip)) for chip in chips]
        return np.array(rows, np.float32)

    def _build(self) -> nn.Module:
        from bench.recognisers.networks.dlib_net import DlibNet

        return DlibNet.from_file(self._path, sha256=self.weights[0].sha256)

    @cached_property
    def _reference(self) -> Any:
        import dlib

        try:
            with unchanged_weights(*self.weights):
                return dlib.face_recognition_model_v1(str(self._path))
        except RuntimeError as error:
            raise DataError(f"dlib does not take the weights {self._path}: {' '.join(str(error).split())}") from None
