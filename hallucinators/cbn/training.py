"""Training CBN: the pictures of all its stages and the landmarks they are seen to have.

Source: S. Zhu, S. Liu, C. C. Loy, X. Tang, ECCV 2016. The authors published networks for use, not their training
(zhusz/ECCV16-CBN); what we do otherwise, or decided, is listed in `hallucinators.cbn.DEPARTURES`.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench.faces.pairs.pack import SIDE
from hallucinators.cbn.masks import turned_landmarks
from hallucinators.cbn.network import CBN, Hallucination
from hallucinators.stn.upsampling import Terms, Upsampler
from hallucinators.training.method.options import Options
from hallucinators.training.steps.batch import Batch

EARLIER, COMMON, LANDMARKS = 0.3, 0.1, 0.1
"""Weights beside the last picture: of the earlier stages' pictures, of what the common branches make alone, and of the
landmarks (which teach the regressors alone). Each stage was trained by itself in the paper, where there are none."""


def cascade_losses(made: Hallucination, truth: Tensor, landmarks: Tensor) -> dict[str, Tensor]:
    """The weighted terms of one batch, to be added; squared distances, means over everything.

    Args:
        made: by the cascade.
        truth: the upright face as the cascade works on it, float (N, C, 128, 128); earlier stages have it shrunk.
        landmarks: of that face, float (N, 68, 2), pixels.
    """
    truths = [shrunk(truth, picture.shape[-1]) for picture in made.pictures]
    pictures = [_distance(picture, wanted) for picture, wanted in zip(made.pictures, truths, strict=True)]
    common = [_distance(picture, wanted) for picture, wanted in zip(made.common, truths, strict=True)]
    where = [_distance(found / SIDE, landmarks / SIDE) for found in made.landmarks]
    return {
        "picture": pictures[-1],
        "earlier": EARLIER * sum(pictures[:-1], torch.zeros_like(pictures[-1])),
        "common": COMMON * torch.stack(common).sum(),
        "landmarks": LANDMARKS * torch.stack(where).sum(),
    }


def shrunk(faces: Tensor, side: int) -> Tensor:
    """Faces of 128 pixels as a stage of fewer should give them: bicubic, antialiased, float32."""
    if faces.shape[-1] == side:
        return faces.float()
    return F.interpolate(faces.float(), (side, side), mode="bicubic", align_corners=False, antialias=True)


def terms(network: nn.Module, aligned: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    """Faces (N, 3, 128, 128) and the weighted losses by name."""
    net = cast(CBN, network)
    made = net.cascade(aligned)
    return made.face, cascade_losses(made, net.seen(batch.turned()), turned_landmarks(batch))


def _distance(a: Tensor, b: Tensor) -> Tensor:
    return (a.float() - b.float()).square().mean()


def _terms(options: Options, stage: str) -> Terms:
    return terms


METHOD = Upsampler(
    build=lambda preset, lr: CBN(lr=lr, preset=preset),
    steps={"pixels": 1500},
    terms=_terms,
    rates={"paper": 1e-4, "compact": 1e-3},
    flow=True,  # which gives the landmarks
)
stages, export = METHOD.stages, METHOD.export
