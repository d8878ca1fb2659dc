"""An ONNX recognition network on onnxruntime, opened at first use and run in small batches where that is safe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.devices import cpu_threads
from bench.errors import ContractError, DataError, UsageError, one_line
from bench.interfaces import ByteImages, FloatImages
from bench.onnx.ports import Layout
from bench.onnx.session import open_session, run_session
from bench.recognisers.networks.chips import Colour, network_input
from bench.recognisers.networks.onnx_graph import Graph, check_embedding_size, read_graph
from bench.recognisers.networks.onnx_scaling import PLAIN, USUAL, Scaling

_BATCH = 8  # images a call: larger batches push the activations out of the processor's cache and run slower
_TESTED_BATCHES = (3, _BATCH)  # batch lengths that are compared with single images
_TOLERANCE = 1e-4  # of a row's largest value: rounding stays below, what leaks from other images of a batch above


@dataclass(frozen=True)
class _Way:
    """The batches of a session.

    Attributes:
        session: the session.
        at_once: images a call.
        copies: of one image that fill a batch of fixed length.
        why: why images go one by one; empty where they do not.
        mixes: whether an image's embedding depends on the rest of its batch.
    """

    session: Any
    at_once: int
    copies: int = 1
    why: str = ""
    mixes: bool = False


class OnnxNetwork:
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
        in_parts: bool = False,
    ) -> None:
        """Remember the file.

        Args:
            path: the ONNX file.
            layout: order of the axes of the network's input.
            colour: channel order of the network's input.
            output_name: the output that is the embedding, where there are several.
            threads: processor threads; 0 means all.
            sha256: digest that the file must have when it is read; None takes any.
            in_parts: whether weights may lie in files beside it, which the caller digests.
        """
        self._path, self._colour = path, colour
        self._read = partial(read_graph, path, layout=layout, output_name=output_name, sha256=sha256, in_parts=in_parts)
        self._threads = cpu_threads(threads)
        self._way: _Way | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the session: another process opens its own."""
        return {**self.__dict__, "_way": None}

    @cached_property
    def graph(self) -> Graph:
        """The rewritten graph; raises what `read_graph` does, and UsageError where it takes other channels."""
        graph = self._read()
        channels = 1 if self._colour == "gray" else 3
        if graph.channels not in (channels, None):
            say = "Say colour=gray (luma)." if graph.channels == 1 else "colour=gray is for networks of one channel."
            raise UsageError(f"{self._path.name} takes images of {graph.channels} channel(s): {graph.image}. {say}")
        return graph

    @property
    def scaling(self) -> Scaling:
        """The scaling that fits the graph: none where it takes bytes or scales by itself, else to [-1, 1]."""
        if np.dtype(self.graph.image.dtype).kind in "iu":
            return PLAIN
        return self.graph.arithmetic.fitting if self.graph.arithmetic else USUAL

    def embedding_size(self, height: int, width: int, scaling: Scaling) -> int:
        """Length of an embedding: what the graph declares, else what a grey image gives."""
        grey = np.full((1, height, width, 3), 127, np.uint8)
        return self.graph.embedding_size or self.embed(grey, scaling).shape[1]

    def embed(self, chips: ByteImages, scaling: Scaling) -> FloatImages:
        """Embed RGB uint8 (N, H, W, 3), scaled, as float32 (N, D); row i depends on image i alone."""
        if self._way is None:
            self._way = self._choose(chips.shape[1], chips.shape[2], scaling)
        return self._pass(self._way, self._input(chips, scaling))

    def execution(self) -> dict[str, object]:
        """Facts for the record: device, providers, output, and batches."""
        facts: dict[str, object] = {"device": "cpu", "output": self.graph.output.name, "layout": self.graph.layout}
        if self._way is None:
            return {**facts, "batch": "not run: every embedding was in the cache"}
        batch = f"{self._way.at_once} images a call" if self._way.at_once > 1 else f"one image a call: {self._way.why}"
        return {**facts, "providers": self._way.session.get_providers(), "batch": batch}

    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures."""
        if self._way is None or not self._way.mixes:
            return ()
        return (
            f"{self._path.name}: the embedding of an image depends on the others of its batch (was it exported in "
            "training mode?); images were passed one by one.",
        )

    def _input(self, chips: ByteImages, scaling: Scaling) -> Any:
        """The array that the network takes; whole numbers are rounded and kept in range."""
        planes = network_input(chips, colour=self._colour, mean=scaling.mean, std=scaling.std)
        if self.graph.layout == "nhwc":
            planes = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        dtype = np.dtype(self.graph.image.dtype)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            planes = np.rint(planes).clip(limits.min, limits.max)
        return planes.astype(dtype, copy=False)

    def _choose(self, height: int, width: int, scaling: Scaling) -> _Way:
        """Open the network, and test with distinct images whether batches change a result."""
        graph = self.graph
        session = self._open(graph)
        images = self._input(_distinct(height, width), scaling)
        if graph.batch == 0:
            return _Way(session, 1, why="its input has no batch axis")
        try:
            alone = np.concatenate([self._forward(session, images[i : i + 1]) for i in range(len(images))])
        except (DataError, ContractError):
            fixed = self._read(free_batch=False)
            return _Way(self._open(fixed), 1, copies=fixed.batch or 1, why=f"it takes batches of {fixed.batch or 1}")
        if graph.range_from_batch:
            return _Way(session, 1, why="it takes ranges from the whole batch")
        for count in _TESTED_BATCHES:
            try:
                together = self._forward(session, images[:count])
            except (DataError, ContractError):
                return _Way(session, 1, why=f"it does not run on {count} images")
            gap = np.abs(together - alone[:count]).max(axis=1)
            if not bool((gap <= _TOLERANCE * np.abs(alone[:count]).max(axis=1)).all()):
                return _Way(session, 1, why="an embedding depends on the other images of its batch", mixes=True)
        return _Way(session, _BATCH)

    def _open(self, graph: Graph) -> Any:
        return open_session(graph.model, path=self._path, threads=self._threads)

    def _pass(self, way: _Way, images: Any) -> FloatImages:
        """Whole batches, then the remaining images one by one: no batch length is used that was not tested."""
        whole = len(images) - len(images) % way.at_once if way.at_once > 1 else 0
        parts = [self._forward(way.session, images[i : i + way.at_once]) for i in range(0, whole, way.at_once)]
        parts += [self._alone(way, images[i : i + 1]) for i in range(whole, len(images))]
        return np.concatenate(parts)

    def _alone(self, way: _Way, image: Any) -> FloatImages:
        if way.copies == 1:
            return self._forward(way.session, image)
        return self._forward(way.session, np.repeat(image, way.copies, axis=0))[:1]

    def _forward(self, session: Any, images: Any) -> FloatImages:
        inputs = images[0] if self.graph.batch == 0 else images
        try:
            result = np.asarray(run_session(session, [self.graph.output.name], {self.graph.image.name: inputs})[0])
        except Exception as error:  # noqa: BLE001  # onnxruntime raises a class of its own for each kind of fault
            raise DataError(
                f"The network {self._path} does not run on images of shape {inputs.shape}: {one_line(error)}"
            ) from None
        bare = len(images) == 1 and (result.ndim == 1 or (self.graph.batch == 0 and len(result) != 1))
        rows = result[None] if bare else result  # an output without a batch axis
        if rows.ndim < 1 or len(rows) != len(images) or rows.size == 0:
            raise ContractError(
                f"The network {self._path} gave an output of shape {result.shape} for {len(images)} images"
            )
        flat: FloatImages = np.ascontiguousarray(rows.reshape(len(images), -1), np.float32)
        check_embedding_size(flat.shape[1], self._path)
        return flat


def _distinct(height: int, width: int) -> ByteImages:
    """Images that differ in brightness, colour, shape and grain; uint8 (`_BATCH`, H, W, 3)."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    images = []
    for index in range(_BATCH):
        middle, colours = generator.uniform(0.3, 0.7, 2), generator.uniform(20, 235, (2, 3))
        disc = np.hypot(x - middle[0], y - middle[1]) < generator.uniform(0.2, 0.4)
        slope = (x * np.cos(index) + y * np.sin(index)) * generator.uniform(0, 80)
        grain = generator.normal(0, 12, (height, width, 3))
        images.append(np.where(disc[..., None], colours[0], colours[1]) + slope[..., None] + grain)
    return np.rint(images).clip(0, 255).astype(np.uint8)
