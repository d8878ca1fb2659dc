"""Running a torch recogniser: small batches, no gradients, built at first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bench.devices import resolve_device, torch_threads
from bench.interfaces import FloatImages

if TYPE_CHECKING:
    from torch import nn

_BATCH = {"cpu": 16}  # images a call; larger batches do not fit into the cache of a CPU and run slower
_BATCH_ELSEWHERE = 256


class TorchNetwork:
    """A module that is built at first use."""

    def __init__(self, build: Callable[[], nn.Module], *, device: str = "cpu", threads: int = 0) -> None:
        """Remember how to build the module.

        Args:
            build: called once, at first use.
            device: torch device.
            threads: processor threads; 0 leaves torch's own choice.
        """
        self._build = build
        self._device = device
        self._threads = threads

    def run(self, images: FloatImages) -> FloatImages:
        """Run the module in evaluation mode; float32 (N, 3, H, W) to float32 (N, D)."""
        import torch

        module, device = self._module, self._device
        batch = _BATCH.get(device, _BATCH_ELSEWHERE)
        with torch.inference_mode(), torch_threads(self._threads):
            parts = [
                module(torch.from_numpy(images[i : i + batch]).to(device)).float().cpu().numpy()
                for i in range(0, len(images), batch)
            ]
        return np.concatenate(parts)

    @cached_property
    def _module(self) -> nn.Module:
        return self._build().eval().to(resolve_device(self._device))

    def execution(self) -> dict[str, object]:
        """Facts for the record: device and batches."""
        batch = _BATCH.get(self._device, _BATCH_ELSEWHERE)
        return {"device": self._device, "batch": f"up to {batch} images a call"}
