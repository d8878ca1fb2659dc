"""Super-resolution networks for upright faces: the trained ``stn`` aligns the LR face before them.

- `AlignedHallucinator` is the base of the registered hallucinators; importing it imports no torch.
- `frozen_aligner` loads the trained ``stn``, whose output these networks are trained on.
- The stages of their training are in `hallucinators.stn.upsampling.Upsampler`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import TRUTH_FRAME
from bench.errors import MissingError
from bench.weights import weights_file
from hallucinators.networks.hallucinator import SizedHallucinator
from hallucinators.networks.registration import ALIGNER
from hallucinators.networks.shipped import SHIPPED, shipped_name
from hallucinators.networks.weight_file import read_facts

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hallucinators.stn.aligner import Aligner
    from hallucinators.training.method.options import Options

_TRAIN_IT = "Train it first (bench train stn --lr {lr} ...) and name the file: {how}."


class AlignedHallucinator(SizedHallucinator):
    """A network from 16 x 16 or 32 x 32 to 128 x 128, behind the ``stn``.

    Subclasses have ``network`` and `build`. Both weight files are in ``weights``.
    """

    def __init__(
        self,
        *,
        size: Literal[16, 32] = 16,
        align: bool = True,
        stn: Path | None = None,
        weights: Path | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find both weight files and check their headers.

        Args:
            size: side of the LR face; other images are resized to it first (16 is 8x, 32 is 4x).
            align: align faces first; false for faces that are upright already, and then ``stn`` is not needed.
            stn: the aligner, a file of `bench train stn`; by default the one that is shipped.
            weights: weight file of the network itself; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: a file does not exist.
            DataError: a file is damaged, or of another network or size.
        """
        super().__init__(size=size, weights=weights, device=device, threads=threads)
        self._stn_path: Path | None = None
        self.input_frame = "" if align else TRUTH_FRAME
        if align:
            self.output_frame = TRUTH_FRAME
            how = f"{self.network}:stn=FILE, or take align=false for upright faces"
            self._stn_path = aligner_file(stn, size, wanted_by=f"Hallucinator {self.network}", how=how)
            self.weights += (weights_file(self._stn_path, wanted_by=f"Hallucinator {self.network}", how_to_get=""),)

    def run(self, network: nn.Module, faces: Tensor) -> Tensor:
        """Align unless ``align`` is false, then super-resolve float32 (N, 3, size, size) in [0, 1] to 128 x 128."""
        return super().run(network, faces if self._stn_path is None else self._aligner(faces))

    @cached_property
    def _aligner(self) -> Aligner:
        from hallucinators.stn.aligner import load_aligner

        assert self._stn_path is not None  # `run` uses it only then
        return load_aligner(self._stn_path, self._lr, sha256=self.weights[1].sha256).to(self._device)


def aligner_file(path: Path | None, lr: int, *, wanted_by: str, how: str) -> Path:
    """The weight file of an aligner for this size, with its header checked.

    Args:
        path: the file; None takes the shipped one.
        lr: side of the LR faces.
        wanted_by: what needs it, for the error.
        how: how to name another file, for the error.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, or of another network or size.
    """
    chosen = path or SHIPPED / shipped_name(ALIGNER, lr)
    if not chosen.is_file():
        raise MissingError(
            f"{wanted_by} aligns faces with the stn, whose weights {chosen} are not here. "
            f"{_TRAIN_IT.format(lr=lr, how=how)}"
        )
    read_facts(chosen, network=ALIGNER, lr=lr)
    return chosen


def frozen_aligner(options: Options) -> Aligner:
    """The trained ``stn`` that the options of a training name, on their device; it maps LR faces to upright ones.

    Args:
        options: of the training; ``aligner`` is its weight file, None takes the shipped one.

    Raises:
        MissingError: the weight file does not exist.
        DataError: the file is damaged, or of another network or size.
    """
    from hallucinators.stn.aligner import load_aligner

    path = aligner_file(options.aligner, options.lr, wanted_by=f"Training {options.method}", how="--aligner FILE")
    return load_aligner(path, options.lr).to(options.device)
