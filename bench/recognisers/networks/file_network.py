"""What recognition networks in ONNX and TensorFlow Lite files share: arguments, and the length of an embedding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from bench.devices import cpu_threads
from bench.interfaces import ByteImages, FloatImages
from bench.onnx.ports import Layout, Port
from bench.recognisers.networks.chips import Colour, Scaling
from bench.recognisers.networks.network_file import default_scaling


class Declarations(Protocol):
    """What a network file declares: its image input, the size of the image and of an embedding (None where free)."""

    @property
    def image(self) -> Port:
        """The image input."""

    @property
    def height(self) -> int | None:
        """Height of the image, pixels."""

    @property
    def width(self) -> int | None:
        """Width of the image, pixels."""

    @property
    def embedding_size(self) -> int | None:
        """Length of an embedding."""


class FileNetwork(ABC):
    """A network file that is read at first use."""

    def __init__(
        self,
        path: Path,
        *,
        layout: Layout | Literal["auto"] = "auto",
        colour: Colour = "RGB",
        output_name: str = "",
        threads: int = 0,
        sha256: str | None = None,
    ) -> None:
        """Remember the file.

        Args:
            path: the file.
            layout: order of the axes of the network's input.
            colour: channel order of the network's input.
            output_name: the output that is the embedding, where there are several.
            threads: processor threads; 0 means all.
            sha256: digest that the file must have when it is read; None takes any.
        """
        self._path, self._colour, self._layout, self._output_name = path, colour, layout, output_name
        self._sha256, self._threads = sha256, cpu_threads(threads)

    @property
    @abstractmethod
    def graph(self) -> Declarations:
        """The declarations of the file."""

    @abstractmethod
    def embed(self, chips: ByteImages, scaling: Scaling) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3), scaled, as float32 (N, D); row i depends on image i alone."""

    @abstractmethod
    def execution(self) -> dict[str, object]:
        """Facts for the record: device, output, and batches."""

    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures."""

    @property
    def scaling(self) -> Scaling:
        """The scaling that fits the network: none where it takes whole numbers, else to [-1, 1]."""
        return default_scaling(self.graph.image)

    @property
    def parts(self) -> tuple[Path, ...]:
        """Files beside it that hold its weights."""
        return ()

    def embedding_size(self, height: int, width: int, scaling: Scaling) -> int:
        """Length of an embedding: what the graph declares, else what a grey image gives."""
        grey = np.full((1, height, width, 3), 127, np.uint8)
        return self.graph.embedding_size or self.embed(grey, scaling).shape[1]
