"""A TensorFlow Lite recognition network on LiteRT, opened at first use; batches of fixed length are filled up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError, one_line
from bench.interfaces import ByteImages, FloatImages
from bench.io.quiet import drop_library_messages
from bench.onnx.ports import Layout, Port, describe_ports
from bench.recognisers.networks.batches import (
    BATCH,
    MIXES,
    are_equal_rows,
    distinct_images,
    embedding_rows,
    mixing_note,
)
from bench.recognisers.networks.chips import Scaling
from bench.recognisers.networks.file_network import FileNetwork
from bench.recognisers.networks.network_file import (
    check_channels,
    check_embedding_size,
    check_types,
    choose_output,
    image_axes,
    image_input,
    whole_numbers,
)
from bench.recognisers.networks.tflite_check import check_runs
from bench.weights import read_weights


@dataclass(frozen=True)
class _Quantised:
    """A tensor of whole numbers that stand for values: value = scale * (number - zero)."""

    scale: float
    zero: int


@dataclass(frozen=True)
class TfliteGraph:
    """What a file declares.

    Attributes:
        image: its one input, with free axes as None; float32 where whole numbers stand for values.
        layout: order of the image's axes.
        batch: images that the graph takes at once; None when free.
        channels: of the image, or None when free.
        height: of the image, or None when free.
        width: of the image, or None when free.
        output: the output that is the embedding.
        output_index: its place among the outputs.
        embedding_size: length of an embedding, or None where the file does not say.
    """

    image: Port
    layout: Layout
    batch: int | None
    channels: int | None
    height: int | None
    width: int | None
    output: Port
    output_index: int
    embedding_size: int | None


@dataclass(frozen=True)
class _Batches:
    """How images go in.

    Attributes:
        network: the interpreter, allocated for ``length`` images.
        length: images that it takes a call.
        distinct: distinct images a call; the rest of a batch repeats the last one.
        why: why images go one by one; empty where they do not.
        mixes: whether an image's embedding depends on the rest of its batch.
    """

    network: Any
    length: int
    distinct: int
    why: str = ""
    mixes: bool = False


class TfliteNetwork(FileNetwork):
    """A TensorFlow Lite file that is read at first use; an output may be named by its index."""

    _batches: _Batches | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the interpreter: another process opens its own."""
        return {**self.__dict__, "_batches": None}

    @cached_property
    def graph(self) -> TfliteGraph:
        """The declarations of the file.

        Raises:
            MissingError: ai-edge-litert is not installed, or there is no such file any more.
            ChangedError: its bytes have changed.
            DataError: it is no TensorFlow Lite file, LiteRT does not run it, or it is no recognition network.
            UsageError: it has several outputs and none was named, or takes other channels than ``colour`` has.
        """
        network, path = self._open(), self._path
        inputs, outputs = network.get_input_details(), network.get_output_details()
        ports = [_port(detail) for detail in inputs]
        if len(ports) != 1 or not outputs:
            raise DataError(
                f"The weights {path} are a graph with {len(ports)} inputs ({describe_ports(ports)}) and {len(outputs)} "
                "outputs; a recogniser has one image input and gives one embedding."
            )
        index = choose_output([_port(detail) for detail in outputs], self._output_name, path, by_index=True)
        image, output = ports[0], _port(outputs[index])
        check_types(image, output, path)
        if image.dims is not None and len(image.dims) != 4:
            raise DataError(f"The weights {path} take an input {image}; a recogniser takes four axes.")
        layout, (batch, channels, height, width) = image_axes(image, self._layout, path)
        check_channels(channels, self._colour, image, path)
        return TfliteGraph(
            image, layout, batch, channels, height, width, output, index, _embedding_size(output, batch, path)
        )

    def embed(self, chips: ByteImages, scaling: Scaling) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3), scaled, as float32 (N, D); row i depends on image i alone."""
        if self._batches is None:
            self._batches = self._choose(chips.shape[1], chips.shape[2], scaling)
        batches = self._batches
        images = self._input(batches.network, chips, scaling)
        parts = [
            self._forward(batches.network, batches.length, images[i : i + batches.distinct])
            for i in range(0, len(images), batches.distinct)
        ]
        return np.concatenate(parts)

    def execution(self) -> dict[str, object]:
        """Facts for the record: device, runtime, output, and batches."""
        graph = self.graph
        facts: dict[str, object] = {"device": "cpu", "output": graph.output.name, "layout": graph.layout}
        if self._batches is None:
            return {**facts, "batch": "not run: every embedding was in the cache"}
        several = self._batches.distinct > 1
        batch = f"{self._batches.distinct} images a call" if several else f"one image a call: {self._batches.why}"
        return {**facts, "runtime": "LiteRT", "threads": self._threads, "batch": batch}

    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures."""
        return (mixing_note(self._path),) if self._batches is not None and self._batches.mixes else ()

    def _input(self, network: Any, chips: ByteImages, scaling: Scaling) -> Any:
        """The array that the network takes."""
        detail, graph = network.get_input_details()[0], self.graph
        values = image_input(chips, scaling, colour=self._colour, layout=graph.layout, dtype=graph.image.dtype)
        quantised = _quantised(detail)
        if quantised is None:
            return values
        return whole_numbers(values / np.float32(quantised.scale) + quantised.zero, detail["dtype"])

    def _choose(self, height: int, width: int, scaling: Scaling) -> _Batches:
        """Open the network, and test with distinct images whether the rest of a batch changes a result."""
        graph = self.graph
        sides = (3 if self._colour != "gray" else 1, height, width)
        length = graph.batch or BATCH
        try:
            network = self._open(length, sides)
            images = self._input(network, distinct_images(height, width, length), scaling)
            together = self._forward(network, length, images)
        except DataError:
            if graph.batch:
                raise
            length, network = 1, self._open(1, sides)
        if length == 1:
            return _Batches(
                network, 1, 1, f"it takes batches of {graph.batch}" if graph.batch else "it does not run on more"
            )
        alone = np.concatenate([self._forward(network, length, images[i : i + 1]) for i in range(length)])
        if are_equal_rows(together, alone):
            return _Batches(network, length, length)
        network = network if graph.batch else self._open(1, sides)
        return _Batches(network, graph.batch or 1, 1, MIXES, mixes=True)

    def _open(self, length: int | None = None, sides: tuple[int, int, int] | None = None) -> Any:
        """An interpreter of the file, allocated for ``length`` images where that is given."""
        model = read_weights(self._path, self._sha256)
        check_runs(model, self._path)
        from ai_edge_litert.interpreter import Interpreter

        try:
            with drop_library_messages():  # LiteRT names its delegate
                network: Any = Interpreter(model_content=model, num_threads=self._threads)
                if length is not None and sides is not None:
                    channels, height, width = sides
                    nhwc = self.graph.layout == "nhwc"
                    shape = [length, height, width, channels] if nhwc else [length, channels, height, width]
                    detail = network.get_input_details()[0]
                    if list(detail["shape"]) != shape:
                        network.resize_tensor_input(detail["index"], shape, strict=True)
                network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise DataError(f"LiteRT does not take the weights {self._path}: {one_line(error)}") from None
        return network

    def _forward(self, network: Any, length: int, images: Any) -> FloatImages:
        """Rows of at most ``length`` images; the batch is filled up with copies of the last one."""
        full = images if len(images) == length else np.concatenate([images, *[images[-1:]] * (length - len(images))])
        try:
            network.set_tensor(network.get_input_details()[0]["index"], full)
            network.invoke()
            detail = network.get_output_details()[self.graph.output_index]
            output = np.asarray(network.get_tensor(detail["index"]))
        except (ValueError, RuntimeError) as error:
            raise DataError(
                f"The network {self._path} does not run on images of shape {full.shape}: {one_line(error)}"
            ) from None
        quantised = _quantised(detail)
        if quantised is not None:
            output = np.float32(quantised.scale) * (output.astype(np.float32) - np.float32(quantised.zero))
        bare = length == 1 and output.ndim == 1
        return embedding_rows(output, length, self._path, bare=bare)[: len(images)]


def _port(detail: Mapping[str, Any]) -> Port:
    """A tensor that LiteRT describes; axes of -1 are free, and whole numbers that stand for values are float32."""
    signature = detail["shape_signature"]
    dims = tuple(int(length) if length > 0 else None for length in (signature if len(signature) else detail["shape"]))
    kind = np.dtype(detail["dtype"])
    name = "float32" if _quantised(detail) else kind.name if kind.kind in "fiu" else "unknown"
    return Port(str(detail["name"]), name, dims)


def _quantised(detail: Mapping[str, Any]) -> _Quantised | None:
    scale, zero = detail["quantization"]
    is_whole = np.dtype(detail["dtype"]).kind in "iu"
    return _Quantised(float(scale), int(zero)) if is_whole and scale > 0 and math.isfinite(scale) else None


def _embedding_size(output: Port, batch: int | None, path: Path) -> int | None:
    dims = output.dims or ()
    lengths = dims if batch == 1 and len(dims) == 1 else dims[1:]
    if not lengths or None in lengths:
        return None
    return check_embedding_size(math.prod(length for length in lengths if length is not None), path)
