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

_AT_ONCE = {"cpu": 16}  # images a call; on a processor larger batches leave its cache and run slower
_AT_ONCE_ELSEWHERE = 256


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
        at_once = _AT_ONCE.get(device, _AT_ONCE_ELSEWHERE)
        with torch.inference_mode(), torch_threads(self._threads):
            parts = [
                module(torch.from_numpy(images[i : i + at_once]).to(device)).float().cpu().numpy()
                for i in range(0, len(images), at_once)
            ]
        return np.concatenate(parts)

    @cached_property
    def _module(self) -> nn.Module:
        return self._build().eval().to(resolve_device(self._device))

    def execution(self) -> dict[str, object]:
        """What a run records: device and batches."""
        at_once = _AT_ONCE.get(self._device, _AT_ONCE_ELSEWHERE)
        return {"device": self._device, "batch": f"up to {at_once} images a call"}
