"""The recogniser of a published state dict: 112 x 112 chips in ArcFace's template, 512-d."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.align.templates import ARCFACE_112
from bench.interfaces import ByteImages, FloatImages, Recogniser
from bench.recognisers.networks.chips import Scaling, check_chips, network_input
from bench.recognisers.networks.torch_network import TorchNetwork
from bench.weights import load_into, load_state_dict, weights_file

if TYPE_CHECKING:
    from torch import Tensor, nn


class PublishedRecogniser(Recogniser):
    """Embeddings as the last layer gives them, not normalised: their length is kept for fusion.

    Attributes:
        name: of the recogniser.
        how_to_get: where the file is published, for errors.
        values: scaling of 0..255 values.
        prefixes: prefixes of the network's tensors in the file; the first that fits is removed, and tensors without it
            (the classifier) are not looked at.
        first: name of a tensor of the network, by which the prefix is found.
    """

    name: ClassVar[str]
    how_to_get: ClassVar[str]
    values: ClassVar[Scaling]
    prefixes: ClassVar[tuple[str, ...]]
    first: ClassVar[str]
    face = ARCFACE_112
    embedding_size = 512

    def __init__(self, *, weights: Path, device: str = "cpu", threads: int = 0) -> None:
        """Find the weights.

        Args:
            weights: the published file, or its tensors as .safetensors; the depth is read from their names.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there is no such file.
        """
        self.weights = (weights_file(weights, wanted_by=f"Recogniser {self.name}", how_to_get=self.how_to_get),)
        self._path = weights
        self._network = TorchNetwork(self._load, device=device, threads=threads)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, 112, 112, 3) as float32 (N, 512)."""
        check_chips(chips, self.face, recogniser=self.name)
        mean, std = self.values
        return self._network.run(network_input(chips, colour=self.colour, mean=mean, std=std))

    @abstractmethod
    def _build(self, state: Mapping[str, Tensor]) -> nn.Module:
        """The network without weights, of the depth of a state dict."""

    def _load(self) -> nn.Module:
        state = load_state_dict(self._path, sha256=self.weights[0].sha256)
        for prefix in self.prefixes:
            if prefix + self.first in state:
                state = {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)}
                break
        network = self._build(state)
        load_into(network, state, origin=str(self._path))
        return network
