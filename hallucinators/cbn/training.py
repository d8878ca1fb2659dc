"""Training CBN: losses on the images of all its stages and on the estimated landmarks.

Source: S. Zhu, S. Liu, C. C. Loy, X. Tang, ECCV 2016. The authors published networks without their training
(zhusz/ECCV16-CBN); differences and choices are listed in `hallucinators.cbn.DEPARTURES`.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.faces.pairs.pack import SIDE
from hallucinators.cbn.masks import upright_landmarks
from hallucinators.cbn.network import CBN, Hallucination
from hallucinators.stn.upsampling import Upsampler
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.losses import mean_square

EARLIER, COMMON, LANDMARKS = 0.3, 0.1, 0.1
"""Weights of the earlier stages' images, of the images of the common branches, and of the landmarks (which train the
regressors only); the last image has weight 1. The paper trains each stage by itself, without such weights."""


def cascade_losses(result: Hallucination, truth: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
    """The weighted terms of one batch, to be summed; each is a mean of squared differences.

    Args:
        result: output of the cascade.
        truth: the upright face in the colours of the cascade, float (N, C, 128, 128); reduced for earlier stages.
        landmarks: landmarks of that face, float (N, 68, 2), pixels.
    """
    truths = [shrink(truth, image.shape[-1]) for image in result.pictures]
    images = [mean_square(image, target) for image, target in zip(result.pictures, truths, strict=True)]
    common = [mean_square(image, target) for image, target in zip(result.common, truths, strict=True)]
    positions = [mean_square(estimate / SIDE, landmarks / SIDE) for estimate in result.landmarks]
    return {
        "picture": images[-1],
        "earlier": EARLIER * sum(images[:-1], torch.zeros_like(images[-1])),
        "common": COMMON * torch.stack(common).sum(),
        "landmarks": LANDMARKS * torch.stack(positions).sum(),
    }


def shrink(faces: Tensor, side: int) -> Tensor:
    """Reduce faces of 128 pixels to the side of a stage: bicubic, antialiased, float32."""
    if faces.shape[-1] == side:
        return faces.float()
    return F.interpolate(faces.float(), (side, side), mode="bicubic", align_corners=False, antialias=True)


def terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Faces (N, 3, 128, 128) and the weighted losses by name."""
    net = cast(CBN, network)
    result = net.cascade(aligned)
    return result.face, cascade_losses(result, net.to_colours(batch.upright_faces()), upright_landmarks(batch))


METHOD = Upsampler(
    build=lambda preset, lr: CBN(lr=lr, preset=preset),
    steps={"pixels": 1500},
    terms=lambda options, stage: terms,
    rates={"paper": 1e-4, "compact": 1e-3},
    flow=True,  # from which the landmarks follow
)
stages, export = METHOD.stages, METHOD.export
