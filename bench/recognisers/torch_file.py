"""``torch``: a user's own recognition network, a class in a Python file with a state dict."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.modules.user_network import build_user_network, user_network
from bench.recognisers.networks.chips import USUAL, Scaling, check_chips, network_input
from bench.recognisers.networks.network_file import (
    COLOURS,
    ColourName,
    TemplateName,
    check_arguments,
    describe_scaling,
    face_template,
)
from bench.recognisers.networks.torch_network import TorchNetwork


@RECOGNISERS.register(
    "torch",
    summary="Your own torch network (module=FILE.py:Class,weights=FILE); the Python file is run.",
    source="the files given",
    licence="that of the files given",
)
class TorchFile(Recogniser):
    """Calls the class without arguments and loads the state dict. The Python file is a program that you name."""

    def __init__(
        self,
        *,
        module: str,
        weights: Path | None = None,
        size: tuple[int, ...] = (112, 112),
        colour: ColourName = "rgb",
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        template: TemplateName = "arcface",
        points: tuple[float, ...] = (),
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the files, build the network and measure the length of its embedding.

        Args:
            module: Python file and class, FILE.py:Class; the class is called without arguments.
            weights: its state dict, .safetensors or a torch file of tensors; none for a network without weights.
            size: height and width of a chip.
            colour: channel order the network was trained on; ``gray`` is luma.
            mean: one value, or one for each channel in that order; by default 127.5.
            std: what differences from the mean are divided by, one value or three; by default 127.5.
            template: where the network wants the face; scaled to ``size``.
            points: five points as ten numbers x, y, x, y... in pixels of the chip, in place of ``template``.
            device: torch device.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: a file does not exist.
            DataError: the Python file cannot be run, the weights do not fit, or there is no embedding.
            UsageError: an argument does not fit.
        """
        check_arguments("torch", colour=colour, mean=mean, std=std, size=size, points=points)
        source = user_network("Recogniser torch", module, weights)
        self.weights = source.files
        self.colour = COLOURS[colour]
        height, width = size
        self.face = face_template(height, width, template, points)
        self._scaling = Scaling(mean or USUAL.mean, std or USUAL.std)
        self.scaling = describe_scaling(self._scaling)
        self._network = TorchNetwork(partial(build_user_network, source), device=device, threads=threads)
        grey = np.full((1, height, width, 3), 127, np.uint8)
        self.embedding_size = self._embed(grey).shape[1]

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3) of ``face`` as float32 (N, ``embedding_size``)."""
        check_chips(chips, self.face, recogniser="torch")
        return self._embed(chips)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def _embed(self, chips: ByteImages) -> FloatImages:
        scaling = self._scaling
        result = self._network.run(network_input(chips, colour=self.colour, mean=scaling.mean, std=scaling.std))
        if result.ndim != 2 or len(result) != len(chips) or result.shape[1] < 2:
            raise DataError(
                f"The network of {self.weights[0].name} gives an output of shape {result.shape} for {len(chips)} "
                "chips; an embedding is (N, D) with D of 2 or more."
            )
        return result
