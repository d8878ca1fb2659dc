"""A stage before the paper's: the coarse network's first spatial transformer alone learns where the face is."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from bench.faces.pairs.pack import SIDE
from hallucinators.networks.transformer import carried
from hallucinators.training.steps.alignment import alignment
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.vividgan.network.coarse import CoarseNet


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
