"""Where a face stands in its LR picture, as the face engine knows it, to teach the first spatial transformer."""

from __future__ import annotations

from torch import Tensor

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.grids import moved, places
from hallucinators.training.steps.batch import Batch


def alignment(similarity: Tensor, batch: Batch) -> Tensor:
    """Mean distance of points carried by a similarity from where they are, over the head that the view shows.

    The paper lets its spatial transformers find their similarity from the pixels alone. On tiny faces turned by up to
    45 degrees they do not: they stay near the identity while the decoder learns to paint an average face. Here the
    pairs are made, so where each point of the frontal face lies in the LR picture is known, and the first transformer
    is told. No numbered equation.

    Args:
        similarity: float32 (N, 2, 3), frontal frame to LR picture, coordinates in [-1, 1] over the picture's edges.
        batch: with flow targets.

    Raises:
        DataError: the batch has none.
    """
    if batch.flow is None:
        raise DataError("alignment loss: the batches carry no flow targets; make their source with flow=True")
    side = batch.flow.shape[-1]
    carried = moved(similarity, places(side, similarity.device))
    truth = (batch.flow[:, :2] + 0.5) * (2 / SIDE) - 1
    shown = batch.flow[:, 4:5] * batch.flow[:, 6:7]
    distance = (carried - truth).square().sum(1, keepdim=True).add(1e-8).sqrt()  # its slope at 0 would be undefined
    return (distance * shown).sum() / shown.sum().clamp(min=1)
