"""``spandrel``: any torch weight file of a network that the library spandrel knows."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any, Literal

from bench.devices import resolve_device
from bench.errors import MissingError, UsageError, pip_install
from bench.interfaces import HALLUCINATORS, FloatImages
from bench.threads import torch_threads
from bench.types import ImageSpec
from bench.weights import weights_file
from hallucinators.restorers.shared import Restorer, check_sides
from hallucinators.restorers.state_file import Trust

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
    """The architecture is told from the file's tensors; what is called is what its authors call."""

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
        """Tell the network from names and shapes of its tensors; their values are read at first use.

        Args:
            file: the file of weights, .pth or .safetensors.
            size: side of the square an image is brought to (bicubic) for the network; 0 leaves it as it is. By default
                512 for face restorers, which take nothing else, and 0 for the rest.
            output: side that results are brought to; by default the network's own.
            colour: channel order of the network. All that spandrel knows were made for RGB.
            w: CodeFormer's fidelity, from 0 (a good picture) to 1 (the face that was given); by default 0.5.
            unsafe_pickle: whether a file that may run code while it is loaded is loaded.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: spandrel is not installed, or there is no such file.
            DataError: the file is damaged, refused, or of no network that spandrel knows.
            UsageError: an argument does not go with the network, or there is no such device.
        """
        check_sides("spandrel", size=size, output=output)
        self.weights = (weights_file(file, wanted_by="Hallucinator spandrel", how_to_get=_HOW_TO_GET),)
        missing = _missing()
        if missing:
            raise MissingError(missing)
        from hallucinators.restorers.spandrel_network import DEFAULT_FIDELITY, FIDELITY, describe

        device = resolve_device(device)
        facts = describe(file, trust=unsafe_pickle)
        side = facts.side if size is None else size or None
        if facts.side and side != facts.side:
            raise UsageError(f"spandrel: {file.name} is {facts.architecture}, which takes size={facts.side} only")
        if w is not None and (facts.architecture != FIDELITY or not 0 <= w <= 1):
            raise UsageError(f"spandrel: w={w:g} is {FIDELITY}'s, from 0 to 1; {file.name} is {facts.architecture}")
        gives = ImageSpec(side * facts.scale) if side else ImageSpec(scale=facts.scale)
        super().__init__(side=side, gives=gives, output=output or None, colour=colour)
        # another release of the library may run the same file in another way
        self.version = f"1, spandrel {importlib.metadata.version('spandrel')}"
        self.architecture = facts.architecture
        self._file, self._trust, self._device, self._threads = file, unsafe_pickle, device, threads
        self._fidelity = DEFAULT_FIDELITY if w is None else w

    def _open(self) -> Any:
        from hallucinators.restorers.spandrel_network import load

        return load(self._file, trust=self._trust, sha256=self.weights[0].sha256).to(self._device)

    def _run(self, network: Any, face: FloatImages) -> FloatImages:
        import torch

        from hallucinators.restorers.spandrel_network import run

        given = torch.from_numpy(face).to(self._device)
        drawn_on = [] if self._device == "cpu" else [given.device]
        with torch.inference_mode(), torch_threads(self._threads), torch.random.fork_rng(drawn_on):
            torch.manual_seed(0)  # some networks draw noise; each image gets the same
            found: FloatImages = run(network, given, fidelity=self._fidelity).float().cpu().numpy()
        return found
