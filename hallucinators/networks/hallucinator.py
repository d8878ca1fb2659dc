"""Inference with networks of this suite: input checks, weight files, batches, devices."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bench.devices import resolve_device, torch_threads
from bench.errors import UsageError
from bench.images import resize_float
from bench.interfaces import FloatImages, Hallucinator
from bench.types import OK, ImageSpec, Outcome, WeightsFile
from bench.weights import weights_file
from hallucinators.networks.shipped import HOW_TO_GET, SHIPPED, shipped_name
from hallucinators.networks.weight_file import Facts, read_facts

if TYPE_CHECKING:
    from torch import Tensor, nn

_BATCH = 32
"""Faces in a batch on accelerators. On processors a batch has one face, which costs no time there (convolutions of
128 x 128), so that the result for a face cannot depend on its position in a batch."""
_NOT_FINITE = Outcome("failed", "hallucinate", "input not finite")


class NetworkHallucinator(Hallucinator):
    """Base of all hallucinators that run a network of this suite.

    Attributes:
        network: name of the method, which the header of its weight file repeats.
    """

    output_spec = ImageSpec(128)
    network: ClassVar[str]

    def __init__(self, *, device: str, threads: int) -> None:
        """Keep the device and the number of threads; nothing is loaded.

        Args:
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.
        """
        self._device_name, self._threads = device, threads

    @abstractmethod
    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """As `hallucinate`, and the outcome of each face."""

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Hallucinate float32 (N, 3, h, w) in [0, 1] as float32 (N, 3, 128, 128)."""
        return self.hallucinate_counted(lr)[0]

    @cached_property
    def _device(self) -> str:
        """The device, resolved when it is first needed.

        Raises:
            UsageError: torch has no such device.
        """
        return resolve_device(self._device_name)

    def _find_weights(self, path: Path) -> WeightsFile:
        """Name and SHA-256 of a weight file.

        Raises:
            MissingError: there is no such file.
            DataError: it cannot be read.
        """
        how_to_get = HOW_TO_GET.format(network=self.network)
        return weights_file(path, wanted_by=f"Hallucinator {self.network}", how_to_get=how_to_get)

    def _replace_non_finite(self, lr: FloatImages) -> tuple[FloatImages, NDArray[np.bool_]]:
        """Images clipped to [0, 1], those with non-finite values replaced by black ones; and which are finite, (N,).

        Raises:
            UsageError: no RGB batch, or an empty one.
        """
        if lr.ndim != 4 or lr.shape[1] != 3 or not len(lr) or min(lr.shape[2:]) < 2:
            raise UsageError(
                f"{self.network} takes RGB faces (N, 3, h, w), N of 1 or more, not {lr.shape}. Grey images are "
                "repeated to three channels and alpha is dropped by bench.images.decode."
            )
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(lr).all(axis=(1, 2, 3)))
        return np.where(finite[:, None, None, None], lr, np.float32(0)).clip(0, 1), finite

    def _batches(self, faces: FloatImages) -> list[FloatImages]:
        """The faces in batches that suit the device."""
        step = 1 if self._device == "cpu" else _BATCH
        return [np.ascontiguousarray(faces[i : i + step]) for i in range(0, len(faces), step)]


def resize_clipped(faces: FloatImages, side: int) -> FloatImages:
    """Resize (N, 3, h, w) to (N, 3, side, side), bicubic, clipped to [0, 1]."""
    return resize_float(faces, side, side).clip(0, 1)


def mark_failed(outcomes: Sequence[Outcome], finite: NDArray[np.bool_]) -> list[Outcome]:
    """The outcomes of N faces, with a failure for each whose input is not finite."""
    return [outcome if good else _NOT_FINITE for outcome, good in zip(outcomes, finite, strict=True)]


class OneFileHallucinator(NetworkHallucinator):
    """A hallucinator with one weight file and one pass. Subclasses have `build`, and `run` where it is not a call."""

    def __init__(self, *, lr: int, weights: Path | None, device: str, threads: int) -> None:
        """Find the weights and check their header; the network is built at first use.

        Args:
            lr: side of the LR faces; 0 for a network that takes faces of any size.
            weights: the file; None takes the shipped one.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there are no weights.
            DataError: they are damaged, or of another network or size.
        """
        super().__init__(device=device, threads=threads)
        self._path, self._lr = weights or SHIPPED / shipped_name(self.network, lr), lr
        self.weights: tuple[WeightsFile, ...] = (self._find_weights(self._path),)
        self._facts = read_facts(self._path, network=self.network, lr=lr)
        if lr:
            self.input_spec = ImageSpec(lr)

    @abstractmethod
    def build(self, facts: Facts) -> nn.Module:
        """The network of a weight file, with initial weights."""

    def run(self, network: nn.Module, faces: Tensor) -> Tensor:
        """Hallucinate float32 (N, 3, h, w) in [0, 1]; the caller clips the result to [0, 1]."""
        images: Tensor = network(faces)
        return images

    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """As `hallucinate`, and the outcome of each face: a failure if its values are not finite.

        Raises:
            UsageError: no RGB batch, an empty one, or torch has no such device.
        """
        import torch

        safe, finite = self._replace_non_finite(lr)
        faces = resize_clipped(safe, self._lr) if self._lr else safe
        with torch.inference_mode(), torch_threads(self._threads):
            images = [
                self.run(self._network, torch.from_numpy(batch).to(self._device)).float().clamp(0, 1).cpu().numpy()
                for batch in self._batches(faces)
            ]
        return np.concatenate(images), mark_failed([OK] * len(finite), finite)

    @cached_property
    def _network(self) -> nn.Module:
        from hallucinators.networks.weight_loading import fill

        return fill(self.build(self._facts), self._path, sha256=self.weights[0].sha256).to(self._device)


class SizedHallucinator(OneFileHallucinator):
    """A hallucinator for LR faces of 16 x 16 or of 32 x 32, with a weight file for each."""

    def __init__(
        self, *, size: Literal[16, 32] = 16, weights: Path | None = None, device: str = "cpu", threads: int = 0
    ) -> None:
        """Find the weights.

        Args:
            size: side of the LR face; other images are resized to it first (16 is 8x, 32 is 4x).
            weights: a file of `bench train`; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there are no weights.
            DataError: they are damaged, or of another network or size.
        """
        super().__init__(lr=size, weights=weights, device=device, threads=threads)
