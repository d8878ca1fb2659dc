"""A recogniser whose network is in a file that the user names."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar, Generic, Literal, TypeVar

from bench.interfaces import ByteImages, FloatImages, Recogniser
from bench.onnx.ports import Layout
from bench.recognisers.networks.chips import check_chips
from bench.recognisers.networks.file_network import FileNetwork
from bench.recognisers.networks.network_file import (
    COLOURS,
    ColourName,
    TemplateName,
    check_arguments,
    chip_size,
    describe_scaling,
    face_template,
    scaling_of,
)
from bench.weights import weights_file

Network = TypeVar("Network", bound=FileNetwork)


class FileRecogniser(Recogniser, Generic[Network]):
    """Prepares chips as the arguments say; a subclass names the class of the network.

    Attributes:
        name: of the recogniser, for errors.
        format: of the file, with its article, for errors.
        network_type: class of the network.
    """

    name: ClassVar[str]
    format: ClassVar[str]
    network_type: type[Network]

    def __init__(
        self,
        *,
        weights: Path,
        size: tuple[int, ...] = (),
        colour: ColourName = "rgb",
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        layout: Layout | Literal["auto"] = "auto",
        output_name: str = "",
        template: TemplateName = "arcface",
        points: tuple[float, ...] = (),
        threads: int = 0,
    ) -> None:
        """Read the file's declarations.

        Args:
            weights: the file: one image input, and an output that is the embedding.
            size: height and width of a chip; by default what the file declares.
            colour: channel order the network was trained on; ``gray`` gives networks of one channel luma (BT.601, as
                Pillow's mode L: 0.299 R + 0.587 G + 0.114 B).
            mean: one value, or one for each channel in that order.
            std: what differences from the mean are divided by, one value or three; none is 0.
            layout: order of the input's axes; by default where the file declares three channels or one.
            output_name: the output that is the embedding, where the file has several.
            template: where the network wants the face; scaled to ``size``.
            points: five points as ten numbers x, y, x, y... in pixels of the chip, in place of ``template``.
            threads: processor threads; 0 means all.

        Raises:
            MissingError: there is no such file, or the package that runs it is not installed.
            DataError: it is no recognition network.
            UsageError: an argument does not go with the file, or the file needs one more.
        """
        check_arguments(self.name, colour=colour, mean=mean, std=std, size=size, points=points)
        digest = partial(
            weights_file, wanted_by=f"Recogniser {self.name}", how_to_get=f"Give the path of {self.format}."
        )
        self.weights = (digest(weights),)
        self.colour = COLOURS[colour]
        self._network = self.network_type(
            weights,
            layout=layout,
            colour=self.colour,
            output_name=output_name,
            threads=threads,
            sha256=self.weights[0].sha256,
        )
        self.weights += tuple(digest(part) for part in self._network.parts)
        graph = self._network.graph
        height, width = chip_size(self.name, size, (graph.height, graph.width), weights)
        self.face = face_template(height, width, template, points)
        self._scaling = scaling_of(self.name, mean, std, image=graph.image, fitting=self._network.scaling, path=weights)
        self._scaling_is_given = mean is not None or std is not None
        self.scaling = describe_scaling(self._scaling)
        self.embedding_size = self._network.embedding_size(height, width, self._scaling)

    def embed(self, chips: ByteImages) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3) of ``face`` as float32 (N, ``embedding_size``)."""
        check_chips(chips, self.face, recogniser=self.name)
        return self._network.embed(chips, self._scaling)

    def execution(self) -> Mapping[str, object]:
        """Facts for the record; see `Recogniser.execution`."""
        return {**super().execution(), **self._network.execution()}

    def notes(self) -> tuple[str, ...]:
        """See `Recogniser.notes`."""
        return self._network.notes()
