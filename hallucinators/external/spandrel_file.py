"""``spandrel``: any torch weight file of a network that the library spandrel knows."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any, Literal

from bench.devices import resolve_device, torch_threads
from bench.errors import MissingError, UsageError, pip_install
from bench.interfaces import HALLUCINATORS, FloatImages
from bench.types import ImageSpec
from bench.weights import weights_file
from hallucinators.external.restorer import Restorer, check_sides
from hallucinators.external.state_dict import Trust

_HOW_TO_GET = "Download it from the network's authors and name it: spandrel:file=FILE (.pth, .ckpt or .safetensors)."


def _missing() -> str | None:
    """Why it cannot run; None where it can."""
    if importlib.util.find_spec("spandrel") is None:
        return f"The library spandrel is not installed: {pip_install('spandrel')}."
    return None


@HALLUCINATORS.register(
    "spandrel",
    summary="Any network file the library spandrel knows (file=PATH): GFPGAN, CodeFormer, RestoreFormer, ESRGAN...",
    source="the file given; architectures from the library spandrel",
    licence="that of the file given",
    missing=_missing,
)
class SpandrelFile(Restorer):
    """Detects the architecture from the file's tensors, and runs it as its authors do."""

    def __init__(
        self,
        *,
        file: Path,
        size: int | None = None,
        output: int | None = None,
        colour: Literal["RGB", "BGR"] = "RGB",
        w: float | None = None,
        unsafe_pickle: Trust = "no",
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Detect the network from names and shapes of its tensors; their values are read at first use.

        Args:
            file: the file of weights, .pth or .safetensors.
            size: side of the square input of the network (bicubic resizing); 0 leaves images unchanged. By default 512
                for face restorers, which take no other size, and 0 for other networks.
            output: side that results are resized to; by default that of the network.
            colour: channel order of the network. All networks of spandrel take RGB.
            w: CodeFormer's fidelity, from 0 (image quality) to 1 (fidelity to the input); by default 0.5.
            unsafe_pickle: whether to load a file that may run code while it is loaded.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: spandrel is not installed, or there is no such file.
            DataError: the file is damaged, refused, or of a network unknown to spandrel.
            UsageError: an argument does not fit the network, or there is no such device.
        """
        check_sides("spandrel", size=size, output=output)
        self.weights = (weights_file(file, wanted_by="Hallucinator spandrel", how_to_get=_HOW_TO_GET),)
        missing = _missing()
        if missing:
            raise MissingError(missing)
        from hallucinators.external.spandrel_network import DEFAULT_FIDELITY, FIDELITY, describe

        device = resolve_device(device)
        facts = describe(file, trust=unsafe_pickle)
        side = facts.side if size is None else size or None
        if facts.side and side != facts.side:
            raise UsageError(f"spandrel: {file.name} is {facts.architecture}, which takes size={facts.side} only")
        if w is not None and (facts.architecture != FIDELITY or not 0 <= w <= 1):
            raise UsageError(f"spandrel: w={w:g} is {FIDELITY}'s, from 0 to 1; {file.name} is {facts.architecture}")
        result = ImageSpec(side * facts.scale) if side else ImageSpec(scale=facts.scale)
        super().__init__(side=side, result=result, output=output or None, colour=colour)
        # another release of the library may run the same file differently
        self.version = f"1, spandrel {importlib.metadata.version('spandrel')}"
        self.architecture = facts.architecture
        self._file, self._trust, self._device, self._threads = file, unsafe_pickle, device, threads
        self._fidelity = DEFAULT_FIDELITY if w is None else w

    def _open(self) -> Any:
        from hallucinators.external.spandrel_network import load

        return load(self._file, trust=self._trust, sha256=self.weights[0].sha256).to(self._device)

    def _run(self, network: Any, face: FloatImages) -> FloatImages:
        import torch

        from hallucinators.external.spandrel_network import run

        image = torch.from_numpy(face).to(self._device)
        devices = [] if self._device == "cpu" else [image.device]
        with torch.inference_mode(), torch_threads(self._threads), torch.random.fork_rng(devices):
            torch.manual_seed(0)  # some networks use noise, which is the same for each image
            restored: FloatImages = run(network, image, fidelity=self._fidelity).float().cpu().numpy()
        return restored
