"""The aligner that makes an unaligned LR face upright for SRGAN, CBN and WaveletSRNet; it keeps the pose.

The paper (Zhang et al. 2021, section V.A) says only that a spatial transformer does this. Layers of the preset
``paper`` are those of the authors' spatial transformers, applied to the RGB face (XinYuANU/JFFH, stn_L*.lua). The
preset ``compact`` has two networks: the second one estimates a correction from the face that the first one aligned.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam

from bench.errors import DataError
from hallucinators.networks.blocks import conv, linear
from hallucinators.networks.grids import pixel_centres, transform_points
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
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.placement import PIXELS, upright_placement
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.training.steps.task import Task

NETWORK = "stn"
PRESETS = ("paper", "compact")
DEFAULT_STEPS = {"align": 6000}
_SMALLEST = 4
_EARLIER_WEIGHT = 0.5
"""Weight of the placement loss of each estimate but the last."""


class LocationNet(SpatialTransformer):
    """A spatial transformer with strided convolutions down to 4 x 4; only its similarity is used here.

    Six convolutions estimate the location of a face better than the two or three of `SpatialTransformer`, and two
    estimates are better than one (at 16 x 16, single runs: an error of 4.9 pixels of 128 against 5.5 after 2,000 steps;
    5.0 against 5.7 half way).
    """

    def __init__(self, lr: int) -> None:
        super().__init__(3, lr)
        layers = [conv(3, 32), *([conv(32, 32, stride=2)] if lr == 32 else []), conv(32, 64), conv(64, 64, stride=2)]
        layers += [conv(64, 128), conv(128, 128, stride=2), conv(128, 64)]
        self.features = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))
        self.hidden = linear(64 * _SMALLEST**2, 128)
        self.similarity = linear(128, 4, zero=True)


class Aligner(nn.Module):
    """Estimates a similarity for an unaligned LR face and resamples the face once, to the same size."""

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
        looks = [YuTransformer("S16" if lr == 16 else "S32", 3)] if paper else [LocationNet(lr), LocationNet(lr)]
        self.looks = nn.ModuleList(looks)

    def similarities(self, lr: Tensor) -> list[Tensor]:
        """The estimate after each network, the last one being the best: float32 (N, 2, 3) each.

        They map the upright face to the LR image, in coordinates of [-1, 1] over the image, as `grid_sample` counts.

        Args:
            lr: (N, 3, lr, lr) RGB in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        if lr.ndim != 4 or lr.shape[1:] != (3, self.lr, self.lr):
            raise DataError(f"stn: built for (N, 3, {self.lr}, {self.lr}), given {tuple(lr.shape)}")
        estimates: list[Tensor] = []
        for look in self.looks:
            faces = lr if not estimates else resample(lr, estimates[-1]).to(lr.dtype)
            correction = cast(SpatialTransformer, look).theta(2 * faces - 1)
            estimates.append(compose(estimates[-1], correction) if estimates else correction)
        return estimates

    def forward(self, lr: Tensor) -> Tensor:
        """Align (N, 3, lr, lr) RGB in [0, 1]: the same shape, float32 in [0, 1]."""
        return resample(lr, self.similarities(lr)[-1])


def resample(images: Tensor, similarity: Tensor) -> Tensor:
    """Resample images (N, 3, s, s) by similarities: bicubic, repeated beyond the border, clipped to [0, 1].

    With the true similarity, bicubic gives 1.8 to 1.9 dB more than bilinear to the upright LR face.
    """
    side = images.shape[-1]
    at = transform_points(similarity, pixel_centres(side, images.device))
    values = functional.grid_sample(
        images.float(), at.permute(0, 2, 3, 1), mode="bicubic", padding_mode="border", align_corners=False
    )
    return values.clamp(0, 1)


def compose(outer: Tensor, inner: Tensor) -> Tensor:
    """The matrices (N, 2, 3) of x -> outer(inner(x)). Written out, as autocast would multiply in bfloat16."""
    linear = (outer[:, :, :2, None] * inner[:, None, :2, :2]).sum(2)
    shift = (outer[:, :, :2] * inner[:, None, :, 2]).sum(2) + outer[:, :, 2]
    return torch.cat([linear, shift[:, :, None]], 2)


def upright_lr(batch: Batch) -> Tensor:
    """The upright face, reduced as LR faces are (antialiased bicubic): float32 (N, 3, s, s) in [0, 1].

    Raises:
        DataError: the batch has none.
    """
    side = batch.lr.shape[-1]
    return functional.interpolate(batch.upright_faces(), (side, side), mode="bicubic", antialias=True).clamp(0, 1)


class AlignTask(NetworkTask):
    """Pixel error of the aligned face, and placement loss (pixels alone do not train it, see docs/training.md)."""

    def __init__(self, network: Aligner, *, steps: int, rate: float = 1e-3) -> None:
        """Set up the stage."""
        self._net, self._steps = network, steps
        optimiser = Adam([rate_group(network.parameters(), rate)], betas=(0.9, 0.99))
        super().__init__("stn", network, optimiser, key="network")

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        *earlier, last = self._net.similarities(batch.lr)
        error = pixel(resample(batch.lr, last), upright_lr(batch))
        placement = upright_placement(last, batch)
        total = error + placement
        for similarity in earlier:
            total = total + _EARLIER_WEIGHT * upright_placement(similarity, batch)
        figures = {"pixel": float(error.detach()), "alignment": float(placement.detach())}
        return {"total": descend(total, self._optimiser, name="total", limit=1.0)} | figures

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR to the upright LR face of the aligned and of the unaligned LR face; placement error, pixels of 128."""
        similarity, truth = self._net.similarities(batch.lr)[-1], upright_lr(batch)
        return {
            "psnr_db": psnr_db(resample(batch.lr, similarity), truth),
            "unaligned_psnr_db": psnr_db(batch.lr, truth),
            "alignment_px": float(upright_placement(similarity, batch)) * PIXELS,
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR image, aligned LR image, true LR image."""
        return [batch.lr, self._net(batch.lr), upright_lr(batch)]


def stages(options: Options) -> list[Stage]:
    """The one stage.

    Raises:
        UsageError: an unknown preset, size or stage.
    """
    steps = options.stage_steps(DEFAULT_STEPS)["align"]
    _network(options)

    def build(folder: Path) -> Task:
        return AlignTask(_network(options), steps=steps)

    return [Stage("align", build, steps, (options.lr,), upright=True)] if steps else []


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Raises:
        DataError: it is not finished.
    """
    network = _network(options)
    network.load_state_dict(checkpoint.best_averages(folder / "align")["network"])
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
    torch.manual_seed(0)  # the same initial weights in every process
    return Aligner(options.preset, options.lr)
