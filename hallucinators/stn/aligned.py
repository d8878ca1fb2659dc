"""What super-resolvers of upright faces share: an unaligned LR face is brought upright by the ``stn`` before them.

- `AlignedHallucinator` is the base of the registered hallucinators; importing it imports no torch.
- `frozen_aligner` gives a training the finished ``stn``, whose output the network is trained on.
- The two stages of their training, for the loop, are `hallucinators.stn.upsampling.Upsampler`.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import TRUTH_FRAME
from bench.errors import MissingError
from bench.weights import weights_file
from hallucinators.networks.hallucinator import SizedHallucinator, shipped_missing, shipped_name
from hallucinators.networks.shipped import SHIPPED
from hallucinators.networks.weight_file import read_facts

if TYPE_CHECKING:
    from torch import Tensor, nn

    from hallucinators.stn.aligner import Aligner
    from hallucinators.training.method.options import Options

STN = "stn"
_TRAIN_IT = "Train it first (bench train stn --lr {lr} ...) and name the file: {how}."


class AlignedHallucinator(SizedHallucinator):
    """A super-resolver from 16 x 16 or 32 x 32 to 128 x 128 whose faces the ``stn`` aligns first.

    Subclasses say ``network``, and `build`. Both files are in ``weights``.
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
        """Find both weight files and see that they are what they should be.

        Args:
            size: side of the LR face; other images are resized to it first (16 is 8x, 32 is 4x).
            align: bring faces upright first; false for faces that are upright already, and ``stn`` is not looked for.
            stn: the aligner, a file of `bench train stn`; by default the one that is shipped.
            weights: that of the super-resolver; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: a file is not there.
            DataError: it is damaged, or of another network or size.
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
        """Align where asked, then super-resolve float32 (N, 3, size, size) in [0, 1]: (N, 3, 128, 128)."""
        return super().run(network, faces if self._stn_path is None else self._aligner(faces))

    @cached_property
    def _aligner(self) -> Aligner:
        from hallucinators.stn.aligner import load_aligner

        assert self._stn_path is not None  # `run` asks for it in no other case
        return load_aligner(self._stn_path, self._lr, sha256=self.weights[1].sha256).to(self._device)


def aligner_file(path: Path | None, lr: int, *, wanted_by: str, how: str) -> Path:
    """The weight file of an aligner, seen to be one for this size.

    Args:
        path: the file; None takes the shipped one.
        lr: side of the LR faces.
        wanted_by: who wants it, for the error.
        how: how to name another file, for the error.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, or of another network or size.
    """
    chosen = path or SHIPPED / shipped_name(STN, lr)
    if not chosen.is_file():
        raise MissingError(
            f"{wanted_by} aligns faces by the stn, whose weights {chosen} are not here. "
            f"{_TRAIN_IT.format(lr=lr, how=how)}"
        )
    read_facts(chosen, network=STN, lr=lr)
    return chosen


def frozen_aligner(options: Options) -> Aligner:
    """The finished ``stn`` that a training's options name, on their device: ``aligner(lr)`` gives upright LR faces.

    Args:
        options: of the training; ``aligner`` is its weight file, None takes the shipped one.

    Raises:
        MissingError: it is not trained yet.
        DataError: its file is damaged, or of another network or size.
    """
    from hallucinators.stn.aligner import load_aligner

    path = aligner_file(options.aligner, options.lr, wanted_by=f"Training {options.method}", how="--aligner FILE")
    return load_aligner(path, options.lr).to(options.device)


def aligned_missing(network: str, lr: int) -> str | None:
    """Why a super-resolver cannot run by its bare name: either file is not here; None where both are."""
    return shipped_missing(network, lr) or shipped_missing(STN, lr)
