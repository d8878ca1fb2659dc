"""The aligner that brings an unaligned LR face upright before SRGAN, CBN and WaveletSRNet; its pose stays as it is.

The paper (Zhang et al. 2021, section V.A) says that a spatial transformer does this, and no more. Layers of the preset
``paper`` are those of the authors' spatial transformers on the RGB face itself (XinYuANU/JFFH, stn_L*.lua). ``compact``
looks twice: a second network sees the face as the first one brought it, and says what is left to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.blocks import conv, linear
from hallucinators.networks.grids import moved, places
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.transformer import SpatialTransformer
from hallucinators.networks.weight_file import Facts, read_facts
from hallucinators.networks.weight_loading import fill, save_weights
from hallucinators.networks.yu.transformer import YuTransformer
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.losses import pixel
from hallucinators.training.steps.placement import upright_alignment
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.training.steps.task import Task

NETWORK = "stn"
PRESETS = ("paper", "compact")
DEFAULT_STEPS = {"align": 6000}
_SMALLEST = 4
_FIRST_LOOK = 0.5
"""Weight of telling each look but the last where the face is."""


class Look(SpatialTransformer):
    """A spatial transformer that halves the face by convolutions, down to 4 x 4; only its similarity is used here.

    Six convolutions find where a face is more exactly than the two or three of `SpatialTransformer`, and two looks more
    exactly than one (at 16 x 16, single runs: 4.9 pixels of 128 off against 5.5 after 2,000 steps; 5.0 against 5.7
    half way).
    """

    def __init__(self, lr: int) -> None:
        super().__init__(3, lr)
        layers = [conv(3, 32), *([conv(32, 32, stride=2)] if lr == 32 else []), conv(32, 64), conv(64, 64, stride=2)]
        layers += [conv(64, 128), conv(128, 128, stride=2), conv(128, 64)]
        self.features = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))
        self.hidden = linear(64 * _SMALLEST**2, 128)
        self.similarity = linear(128, 4, zero=True)


class Aligner(nn.Module):
    """Upright LR faces out of unaligned ones, of the same size: a similarity is found, and the face resampled once."""

    def __init__(self, preset: str, lr: int) -> None:
        """Build the network; it starts as the identity.

        Args:
            preset: ``paper`` or ``compact``.
            lr: side of the faces, 16 or 32.

        Raises:
            UsageError: another preset or size.
        """
        super().__init__()
        refuse_unknown("stn", preset, PRESETS, lr)
        self.lr = lr
        paper = preset == "paper"
        looks = [YuTransformer("S16" if lr == 16 else "S32", 3)] if paper else [Look(lr), Look(lr)]
        self.looks = nn.ModuleList(looks)

    def similarities(self, lr: Tensor) -> list[Tensor]:
        """What is known after each look, the last one being the best: float32 (N, 2, 3) each.

        They lead from the upright face to the LR picture, in coordinates of [-1, 1] over the edges, as `grid_sample`
        reads them.

        Args:
            lr: (N, 3, lr, lr) RGB in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        if lr.ndim != 4 or lr.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"stn: built for (N, 3, {self.lr}, {self.lr}), given {tuple(lr.shape)}")
        found: list[Tensor] = []
        for look in self.looks:
            seen = lr if not found else resampled(lr, found[-1]).to(lr.dtype)
            more = cast(SpatialTransformer, look).theta(2 * seen - 1)
            found.append(composed(found[-1], more) if found else more)
        return found

    def forward(self, lr: Tensor) -> Tensor:
        """Align (N, 3, lr, lr) RGB in [0, 1]: the same shape, float32 in [0, 1]."""
        return resampled(lr, self.similarities(lr)[-1])


def resampled(images: Tensor, similarity: Tensor) -> Tensor:
    """Images (N, 3, s, s) at where a similarity leads to, bicubic, beyond their border repeated; clipped to [0, 1].

    By the true similarity, bicubic comes 1.8 to 1.9 dB nearer to the upright LR face than bilinear.
    """
    side = images.shape[-1]
    at = moved(similarity, places(side, images.device))
    found = functional.grid_sample(
        images.float(), at.permute(0, 2, 3, 1), mode="bicubic", padding_mode="border", align_corners=False
    )
    return found.clamp(0, 1)


def composed(outer: Tensor, inner: Tensor) -> Tensor:
    """The matrices (N, 2, 3) of x -> outer(inner(x)). Written out, as autocast would multiply in bfloat16."""
    linear = (outer[:, :, :2, None] * inner[:, None, :2, :2]).sum(2)
    shift = (outer[:, :, :2] * inner[:, None, :, 2]).sum(2) + outer[:, :, 2]
    return torch.cat([linear, shift[:, :, None]], 2)


def upright_lr(batch: Batch) -> Tensor:
    """The upright face, shrunk as LR faces are (antialiased bicubic): float32 (N, 3, s, s) in [0, 1].

    Raises:
        DataError: the batch has none.
    """
    side = batch.lr.shape[-1]
    return functional.interpolate(batch.turned(), (side, side), mode="bicubic", antialias=True).clamp(0, 1)


class AlignTask:
    """The error of the aligned face, and the distance of points from where they are.

    The pixels alone find nothing (docs/training.md); the pairs are made, so where each point went is known.
    """

    name = "stn"
    averaged: tuple[str, ...] = ("network",)

    def __init__(self, network: Aligner, *, steps: int, rate: float = 1e-3) -> None:
        """Say what is trained and how long."""
        self._network, self._steps = network, steps
        group = {"params": list(network.parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The network."""
        return {"network": self._network}

    def optimisers(self) -> dict[str, Optimizer]:
        """One."""
        return {"network": self._optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        *earlier, last = self._network.similarities(batch.lr)
        error = pixel(resampled(batch.lr, last), upright_lr(batch))
        where = upright_alignment(last, batch)
        total = error + where
        for similarity in earlier:
            total = total + _FIRST_LOOK * upright_alignment(similarity, batch)
        told = {"pixel": float(error.detach()), "alignment": float(where.detach())}
        return {"total": descend(total, self._optimiser, name="total", limit=1.0)} | told

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR to the upright LR face, and that of the LR face as it came; by how many pixels of 128 points are off."""
        similarity, truth = self._network.similarities(batch.lr)[-1], upright_lr(batch)
        return {
            "psnr_db": psnr_db(resampled(batch.lr, similarity), truth),
            "unaligned_psnr_db": psnr_db(batch.lr, truth),
            "alignment_px": float(upright_alignment(similarity, batch)) * SIDE / 2,
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, aligned, truth at LR."""
        return [batch.lr, self._network(batch.lr), upright_lr(batch)]


def stages(options: Options) -> list[Stage]:
    """One.

    Raises:
        UsageError: an unknown preset, size or stage.
    """
    steps = options.steps_of("align", DEFAULT_STEPS["align"], tuple(DEFAULT_STEPS))
    _network(options)

    def make(folder: Path) -> Task:
        return AlignTask(_network(options), steps=steps)

    return [Stage("align", make, steps, (options.lr,), upright=True)] if steps else []


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Raises:
        DataError: it is not finished.
    """
    network = _network(options)
    network.load_state_dict(checkpoint.finished(folder / "align")["network"])
    facts = Facts(NETWORK, options.lr, options.preset, trained={**trained})
    save_weights(out, network, facts)
    return facts


def load_aligner(path: Path, lr: int, *, sha256: str | None = None) -> Aligner:
    """A trained aligner: evaluation mode, no gradients.

    Args:
        path: its weight file.
        lr: side of the LR faces.
        sha256: digest that its bytes must have; None takes any.

    Raises:
        ChangedError: its bytes are others than those of ``sha256``.
        MissingError: there is no such file.
        DataError: it is damaged, or of another network or size.
    """
    aligner = Aligner(read_facts(path, network=NETWORK, lr=lr).preset, lr)
    fill(aligner, path, sha256=sha256)
    return aligner


def _network(options: Options) -> Aligner:
    torch.manual_seed(0)  # the same first weights in every process
    return Aligner(options.preset, options.lr)
