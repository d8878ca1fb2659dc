"""An ONNX recognition network on onnxruntime, built at first use and run in small batches."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import ContractError, DataError
from bench.interfaces import FloatImages
from bench.recognisers._onnx_graph import Graph, Layout, read_graph
from bench.threads import cpu_threads

_AT_ONCE = 8  # images a call: larger batches push the activations out of the processor's cache and run slower
_TOLERANCE = 1e-3  # of the largest value: rounding stays far below, a network that mixes up its batch far above


class OnnxNetwork:
    """A network file that is read at first use."""

    def __init__(self, path: Path, *, layout: Layout = "nchw", threads: int = 0) -> None:
        """Remember the file.

        Args:
            path: the ONNX file.
            layout: order of the axes of the network's input; `run` takes images in the first one and turns them.
            threads: processor threads; 0 means all.
        """
        self._path = path
        self._layout: Layout = layout
        self._threads = cpu_threads(threads)

    @cached_property
    def graph(self) -> Graph:
        """The rewritten graph; raises DataError when the file is no recognition network."""
        return read_graph(self._path, layout=self._layout)

    def embedding_size(self, height: int, width: int) -> int:
        """Length of an embedding: what the graph declares, else what a grey image gives."""
        return self.graph.embedding_size or self.run(np.full((1, 3, height, width), 127, np.float32)).shape[1]

    def run(self, images: FloatImages) -> FloatImages:
        """Run the network; float32 (N, 3, H, W) to float32 (N, D), row i from image i alone."""
        session, at_once = self._session
        if self._layout == "nhwc":
            images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        parts = [_forward(session, images[i : i + at_once], self._path) for i in range(0, len(images), at_once)]
        return np.concatenate(parts)

    @cached_property
    def _session(self) -> tuple[Any, int]:
        """The session, and how many images it may be given at once."""
        session = self._open(self.graph)
        if not self.graph.batched:
            return session, 1
        if self.graph.freed and not self._batches_truly(session):
            return self._open(read_graph(self._path, layout=self._layout, free_batch=False)), 1
        return session, _AT_ONCE

    def _open(self, graph: Graph) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        # waiting threads sleep: spinning gains little here and halves the speed where other processes compute too
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(graph.model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  # onnxruntime raises a class of its own for each kind of fault
            cause = " ".join(str(error).split())[:160]
            raise DataError(f"onnxruntime does not take the weights {self._path}: {cause}") from None

    def _batches_truly(self, session: Any) -> bool:
        """Whether two images run together give what each gives alone; a graph may have the batch length built in."""
        sides = (self.graph.height or 112, self.graph.width or 112)
        shape = (2, 3, *sides) if self._layout == "nchw" else (2, *sides, 3)
        pair = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
        try:
            together = _forward(session, pair, self._path)
            alone = np.concatenate([_forward(session, pair[i : i + 1], self._path) for i in range(2)])
        except (DataError, ContractError):
            return False
        return bool(np.abs(together - alone).max() <= _TOLERANCE * np.abs(alone).max())


def _forward(session: Any, images: FloatImages, path: Path) -> FloatImages:
    try:
        result = session.run(None, {session.get_inputs()[0].name: images})[0]
    except Exception as error:  # noqa: BLE001  # as above
        cause = " ".join(str(error).split())[:160]
        raise DataError(f"The network {path} does not run on images of shape {images.shape}: {cause}") from None
    if result.ndim < 2 or len(result) != len(images) or result.size == 0:
        raise ContractError(f"The network {path} gave an output of shape {result.shape} for {len(images)} images")
    flat: FloatImages = np.ascontiguousarray(result.reshape(len(images), -1), np.float32)
    return flat
