"""SphereFace-20: the recogniser of the VividGAN paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bench.align.templates import SPHEREFACE_112X96
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.recognisers.networks.chips import check_chips, network_input
from bench.recognisers.networks.torch_network import TorchNetwork
from bench.weights import load_into, load_state_dict, weights_file

if TYPE_CHECKING:
    from torch import nn

_HOW_TO_GET = (
    "Unpack model/sphere20a_20171020.7z of the public PyTorch port (clcarwin/sphereface_pytorch) and pass weights=PATH "
    "of the .pth file; or pass a .safetensors file with the same names."
)


@RECOGNISERS.register(
    "sphereface",
    summary="SphereFace-20, 512-d, 112 x 96 chips; the paper's recogniser. Needs weights=PATH.",
    source="Liu et al. 2017, SphereFace: deep hypersphere embedding; weights of clcarwin/sphereface_pytorch",
    licence="MIT; trained on CASIA-WebFace, which is for research",
    missing=lambda: f"Its weights come with no package. {_HOW_TO_GET}",
)
class SphereFace(Recogniser):
    """The feature before the classifier (``fc5``), neither normalised nor activated."""

    face = SPHEREFACE_112X96
    embedding_size = 512
    colour = "BGR"
    scaling = "(x - 127.5) / 128"

    def __init__(self, *, weights: Path, device: str = "cpu", threads: int = 0) -> None:
        """Find the weights.

        Args:
            weights: state dict of the public port, .pth or .safetensors; its classifier ``fc6`` is not looked at.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there is no such file.
        """
        self.weights = (weights_file(weights, wanted_by="Recogniser sphereface", how_to_get=_HOW_TO_GET),)
        self._path = weights
        self._network = TorchNetwork(self._build, device=device, threads=threads)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, 112, 96, 3) as float32 (N, 512)."""
        check_chips(chips, self.face, recogniser="sphereface")
        return self._network.run(network_input(chips, colour="BGR", mean=(127.5,), std=(128,)))

    def _build(self) -> nn.Module:
        from bench.recognisers.networks.sphereface_net import SphereFace20

        held = load_state_dict(self._path, sha256=self.weights[0].sha256)
        state = {name: tensor for name, tensor in held.items() if not name.startswith("fc6.")}
        network = SphereFace20()
        load_into(network, state, origin=str(self._path))
        return network
