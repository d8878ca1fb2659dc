"""What hallucinators with a network of this suite share: finding weights, batches, devices."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from bench.devices import resolve_device, torch_threads
from bench.errors import UsageError
from bench.images import resize_float
from bench.interfaces import FloatImages, Hallucinator
from bench.types import OK, ImageSpec, Outcome, WeightsFile
from bench.weights import weights_file
from hallucinators.networks.shipped import SHIPPED
from hallucinators.networks.weight_file import Facts, read_facts

if TYPE_CHECKING:
    from torch import Tensor, nn

_AT_ONCE = 32
_HOW_TO_GET = (
    "They come with the package; or train your own (bench train {network} --help) and name the file: "
    "{network}:weights=FILE."
)
_NOT_FINITE = Outcome("failed", "hallucinate", "input not finite")


class NetworkHallucinator(Hallucinator):
    """A baseline that is one network file. Subclasses say its name, and how it is built and run.

    Attributes:
        network: its name, which the header of its weight file repeats.
    """

    output_spec = ImageSpec(128)
    network: ClassVar[str]

    def __init__(self, *, lr: int, weights: Path | None, device: str, threads: int, shipped: str = "") -> None:
        """Find the weights and see that they are of this network; it is built at first use.

        Args:
            lr: side of the LR faces; 0 for a network that takes faces of any size.
            weights: the file; None takes the shipped one.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.
            shipped: name of the shipped file; by default that of the network and its factor.

        Raises:
            MissingError: there are no weights.
            DataError: they are damaged, or of another network or size.
        """
        path = weights or SHIPPED / (shipped or shipped_name(self.network, lr))
        self.weights: tuple[WeightsFile, ...] = (
            weights_file(
                path,
                wanted_by=f"Hallucinator {self.network}",
                how_to_get=_HOW_TO_GET.format(network=self.network),
            ),
        )
        self._facts = read_facts(path, network=self.network, lr=lr)
        self._path, self._lr, self._device, self._threads = path, lr, device, threads
        if lr:
            self.input_spec = ImageSpec(lr)

    @abstractmethod
    def build(self, facts: Facts) -> nn.Module:
        """The network of a weight file, with first weights."""

    def run(self, network: nn.Module, faces: Tensor) -> Tensor:
        """Hallucinate float32 (N, 3, h, w) in [0, 1]; values outside [0, 1] are clipped later."""
        found: Tensor = network(faces)
        return found

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Hallucinate float32 (N, 3, h, w) in [0, 1] as float32 (N, 3, 128, 128)."""
        return self.hallucinate_counted(lr)[0]

    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """The same, and a failure for each face whose values are not finite.

        Raises:
            UsageError: no RGB batch, an empty one, or torch has no such device.
        """
        import torch

        if lr.ndim != 4 or lr.shape[1] != 3 or not len(lr) or min(lr.shape[2:]) < 2:
            raise UsageError(f"{self.network} takes RGB faces (N, 3, h, w), N of 1 or more, not {lr.shape}.")
        finite = np.asarray(np.isfinite(lr).all(axis=(1, 2, 3)))
        safe = np.where(finite[:, None, None, None], lr, np.float32(0)).clip(0, 1)
        sized = resize_float(safe, self._lr, self._lr).clip(0, 1) if self._lr else safe
        step = 1 if self._device == "cpu" else _AT_ONCE  # one by one a face cannot depend on its place in the batch
        parts = []
        with torch.inference_mode(), torch_threads(self._threads):
            for i in range(0, len(sized), step):
                faces = torch.from_numpy(np.ascontiguousarray(sized[i : i + step])).to(self._device)
                parts.append(self.run(self._network, faces).float().clamp(0, 1).cpu().numpy())
        return np.concatenate(parts), [OK if good else _NOT_FINITE for good in finite]

    @cached_property
    def _network(self) -> nn.Module:

        from hallucinators.networks.weight_loading import fill

        self._device = resolve_device(self._device)
        return fill(self.build(self._facts), self._path, sha256=self.weights[0].sha256).to(self._device)


class SizedHallucinator(NetworkHallucinator):
    """One whose network takes LR faces of 16 x 16 or of 32 x 32, a weight file for each."""

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


def shipped_name(network: str, lr: int) -> str:
    """Name of the weight file that comes with the package."""
    return f"{network}-{128 // lr}x.safetensors" if lr else f"{network}.safetensors"


def shipped_missing(network: str, lr: int) -> str | None:
    """Why a network cannot run by its bare name; None where its file is there."""
    name = shipped_name(network, lr)
    if (SHIPPED / name).is_file():
        return None
    return f"The weights {name} are not here. {_HOW_TO_GET.format(network=network)}"
