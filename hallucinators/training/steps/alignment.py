"""Where a face stands in its LR picture, as the face engine knows it, to teach the first spatial transformer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from bench.errors import DataError
from bench.faces.pairs.pack import SIDE
from hallucinators.networks.grids import moved, places
from hallucinators.networks.transformer import carried
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.vividgan.network.coarse import CoarseNet


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


class GeometryStage:
    """Before stage (i), not of the paper: the first spatial transformer alone learns where the face is.

    It costs a thirtieth of a step of the whole coarse network.
    """

    name = "vividgan-geometry"
    averaged: tuple[str, ...] = ("coarse",)

    def __init__(self, coarse: CoarseNet, *, steps: int, rate: float = 1e-3) -> None:
        """Say which network's; batches must carry flow targets."""
        self._coarse, self._steps = coarse, steps
        group = {"params": list(coarse.alignment_parameters()), "lr": rate, "greatest": rate}
        self._optimiser = Adam([group], betas=(0.9, 0.99))

    def modules(self) -> dict[str, nn.Module]:
        """The coarse network."""
        return {"coarse": self._coarse}

    def optimisers(self) -> dict[str, Optimizer]:
        """One."""
        return {"coarse": self._optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step."""
        set_rates(self._optimiser, rate_at(step, self._steps))
        where = alignment(self._coarse.similarity(batch.lr), batch)
        return {"alignment": descend(where, self._optimiser, name="alignment", limit=1.0)}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of the LR picture carried by the similarity; by how many pixels of 128 the similarity is off."""
        similarity = self._coarse.similarity(batch.lr)
        found = {"psnr_db": psnr_db(carried(batch.lr, similarity, batch.hr.shape[-1]), batch.hr)}
        return found | {"alignment_px": float(alignment(similarity, batch)) * SIDE / 2}

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, carried, truth."""
        moved = carried(batch.lr, self._coarse.similarity(batch.lr), batch.hr.shape[-1])
        return [batch.lr, moved.clamp(0, 1), batch.hr]
