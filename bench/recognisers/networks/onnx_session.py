"""An ONNX recognition network on onnxruntime, opened at first use and run in small batches where that is safe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import ContractError, DataError, one_line
from bench.interfaces import ByteImages, FloatImages
from bench.onnx.session import open_session, run_session
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
from bench.recognisers.networks.network_file import check_channels, image_input
from bench.recognisers.networks.onnx_graph import Graph, read_graph

_TESTED_BATCHES = (3, BATCH)  # batch lengths that are compared with single images


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


class OnnxNetwork(FileNetwork):
    """An ONNX file that is read at first use; all its weights are in it."""

    _in_parts = False
    _way: _Way | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the session: another process opens its own."""
        return {**self.__dict__, "_way": None}

    @cached_property
    def graph(self) -> Graph:
        """The rewritten graph; raises what `read_graph` does, and UsageError where it takes other channels."""
        graph = self._read()
        check_channels(graph.channels, self._colour, graph.image, self._path)
        return graph

    @property
    def scaling(self) -> Scaling:
        """The scaling that fits the graph: none where it takes bytes or scales by itself, else to [-1, 1]."""
        return self.graph.arithmetic.fitting if self.graph.arithmetic else super().scaling

    def _read(self, *, free_batch: bool = True) -> Graph:
        return read_graph(
            self._path,
            layout=self._layout,
            output_name=self._output_name,
            free_batch=free_batch,
            sha256=self._sha256,
            in_parts=self._in_parts,
        )

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
        return (mixing_note(self._path),)

    def _input(self, chips: ByteImages, scaling: Scaling) -> Any:
        """The array that the network takes."""
        graph = self.graph
        return image_input(chips, scaling, colour=self._colour, layout=graph.layout, dtype=graph.image.dtype)

    def _choose(self, height: int, width: int, scaling: Scaling) -> _Way:
        """Open the network, and test with distinct images whether batches change a result."""
        graph = self.graph
        session = self._open(graph)
        images = self._input(distinct_images(height, width), scaling)
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
            if not are_equal_rows(together, alone[:count]):
                return _Way(session, 1, why=MIXES, mixes=True)
        return _Way(session, BATCH)

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
        return embedding_rows(result, len(images), self._path, bare=bare)  # bare: without a batch axis


class OnnxNetworkInParts(OnnxNetwork):
    """An ONNX file whose weights may lie in files beside it, which the caller digests."""

    _in_parts = True

    @property
    def parts(self) -> tuple[Path, ...]:
        """Files beside it that hold its weights."""
        return self.graph.parts
