"""``torch``: a user's own network, a class in a Python file with a state dict."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from bench.devices import resolve_device, torch_threads
from bench.errors import UsageError
from bench.interfaces import HALLUCINATORS, FloatImages
from bench.modules.user_network import build_user_network, user_network
from bench.types import ImageSpec
from hallucinators.external.restorer import Colour, Restorer, check_sides

Values = Literal["0..1", "-1..1"]


@HALLUCINATORS.register(
    "torch",
    summary="Your own torch network (module=FILE.py:Class,weights=FILE,scale=8); the Python file is run.",
    source="the files given",
    licence="that of the files given",
)
class TorchFile(Restorer):
    """Calls the class without arguments, loads the state dict, and runs it on one image at a time.

    So batch statistics cannot mix faces. The Python file is a program that you name; it is run with your rights.
    """

    def __init__(
        self,
        *,
        module: str,
        weights: Path | None = None,
        scale: int | None = None,
        output: int | None = None,
        size: int | None = None,
        values: Values = "0..1",
        colour: Colour = "RGB",
        half: bool = False,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the files; the network is built at first use.

        Args:
            module: Python file and class, FILE.py:Class; the class is called without arguments.
            weights: its state dict, .safetensors or a torch file of tensors; none for a network without weights.
            scale: magnification of the network; or say output.
            output: side that results are resized to; with it the network may give any size.
            size: side of the square input of the network (bicubic resizing); by default images stay unchanged.
            values: range of the network's input and output.
            colour: channel order of the network; gray runs it on luma.
            half: whether to compute in half precision.
            device: torch device.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: a file does not exist.
            UsageError: an argument is out of range, neither scale nor output is given, or there is no such device.
        """
        check_sides("torch", size=size, output=output)
        if scale is not None and scale < 1:
            raise UsageError(f"torch: scale is {scale}; it must be 1 or more")
        if scale is None and not output:
            raise UsageError("torch: say scale=8 (magnification of the network), or output=128 (side of the results)")
        self._source = user_network("Hallucinator torch", module, weights)
        self.weights = self._source.files
        result = None if scale is None else ImageSpec(size * scale) if size else ImageSpec(scale=scale)
        super().__init__(side=size or None, result=result, output=output or None, colour=colour)
        self._values, self._half, self._threads = values, half, threads
        self._device = resolve_device(device)

    def _open(self) -> Any:
        network = build_user_network(self._source).to(self._device)
        return network.half() if self._half else network

    def _run(self, network: Any, face: FloatImages) -> FloatImages:
        import torch

        image = torch.from_numpy(face).to(self._device)
        image = image * 2 - 1 if self._values == "-1..1" else image
        with torch.inference_mode(), torch_threads(self._threads):
            restored = network(image.half() if self._half else image).float()
        restored = (restored + 1) / 2 if self._values == "-1..1" else restored
        result: FloatImages = restored.cpu().numpy()
        return result
