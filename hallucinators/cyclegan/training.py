"""Training the CycleGAN between hallucinated faces and gallery faces.

Source: J.-Y. Zhu et al., ICCV 2017, and their public code. What we do otherwise is listed in
`hallucinators.cyclegan.DEPARTURES`. VividGAN's paper (section V) gives no settings and does not say which direction is
applied; both are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from bench.errors import DataError, UsageError
from bench.interfaces import Hallucinator
from hallucinators.cyclegan.network import PRESETS, Adapter, PatchCritic, Pool
from hallucinators.networks.presets import refuse_unknown
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.figures import psnr_db
from hallucinators.training.steps.gradients import descend
from hallucinators.training.steps.schedule import rate_at, set_rates
from hallucinators.training.steps.task import Task

STAGES = ("cycle",)
_DEFAULT_STEPS = 1500
_RATE = {"paper": 2e-4, "paper-9": 2e-4, "compact": 5e-4}
CYCLE, IDENTITY = 10.0, 5.0
"""Weights of the absolute errors of faces in [-1, 1] that come back, and of faces that were right already."""
ROUNDED: Mapping[str, float] = {"paper": 0.0, "paper-9": 0.0, "compact": 0.1}
"""By preset, the error below which these grow by its square. A network that adds to its face begins at no error of
either kind, and absolute errors, which are steep there, keep it there (measured: it returns its input)."""
_OF_IMAGES = 2.0  # our images are in [0, 1]


class CycleStage:
    """Two generators and two discriminators."""

    name = "cyclegan"
    averaged: tuple[str, ...] = ("adapter",)

    def __init__(
        self,
        adapter: Adapter,
        critics: tuple[PatchCritic, PatchCritic],
        steps_before: Sequence[Hallucinator],
        *,
        steps: int,
        rate: float = 2e-4,
        rounded: float = 0.0,
        pool: int = 50,
    ) -> None:
        """Say what is trained.

        Args:
            adapter: the generators.
            critics: who tells gallery faces, and who tells hallucinated ones, from made ones.
            steps_before: the chain whose faces are to look like those of the gallery; it is not trained.
            steps: of the whole training.
            rate: greatest learning rate.
            rounded: see `ROUNDED`.
            pool: how many made faces of each kind the discriminators see again.
        """
        self._adapter, self._gallery_d, self._hallucinated_d = adapter, *critics
        self._gallery_pool, self._hallucinated_pool = Pool(pool), Pool(pool)
        self._chain, self._steps, self._rounded = tuple(steps_before), steps, rounded
        betas = (0.5, 0.999)
        self._optimiser = Adam([{"params": list(adapter.parameters()), "lr": rate, "greatest": rate}], betas=betas)
        theirs = [parameter for critic in critics for parameter in critic.parameters()]
        self._critics_optimiser = Adam([{"params": theirs, "lr": rate, "greatest": rate}], betas=betas)

    def modules(self) -> dict[str, nn.Module]:
        """Generators, discriminators and their pools."""
        return {
            "adapter": self._adapter,
            "gallery_d": self._gallery_d,
            "hallucinated_d": self._hallucinated_d,
            "gallery_pool": self._gallery_pool,
            "hallucinated_pool": self._hallucinated_pool,
        }

    def optimisers(self) -> dict[str, Optimizer]:
        """One for the generators, one for the discriminators."""
        return {"adapter": self._optimiser, "critics": self._critics_optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the generators, then one of the discriminators.

        Raises:
            DataError: a batch of a single face, which has no other person's.
        """
        share = rate_at(step, self._steps, warm=min(50, self._steps // 5))
        set_rates(self._optimiser, share)
        set_rates(self._critics_optimiser, share)
        half = len(batch) // 2
        if not half:
            raise DataError("cyclegan: a batch needs two faces, since the gallery's are of other people")
        hallucinated, gallery = self._hallucinated(batch.lr[:half]), batch.hr[half : 2 * half]
        to_gallery, to_hallucinated = self._adapter.to_gallery, self._adapter.to_hallucinated
        made_gallery, same_gallery = to_gallery(torch.cat([hallucinated, gallery])).chunk(2)
        made_hallucinated, same_hallucinated = to_hallucinated(torch.cat([gallery, hallucinated])).chunk(2)
        back_hallucinated, back_gallery = to_hallucinated(made_gallery), to_gallery(made_hallucinated)
        terms = {
            "to_gallery": _judge(self._gallery_d, made_gallery),
            "to_hallucinated": _judge(self._hallucinated_d, made_hallucinated),
            "cycle": self._apart(back_hallucinated, hallucinated) + self._apart(back_gallery, gallery),
            "identity": self._apart(same_gallery, gallery) + self._apart(same_hallucinated, hallucinated),
        }
        total = terms["to_gallery"] + terms["to_hallucinated"] + CYCLE * terms["cycle"] + IDENTITY * terms["identity"]
        told = {"total": descend(total, self._optimiser, name="cyclegan", limit=1.0)}
        old_gallery = self._gallery_pool.exchange(made_gallery)
        old_hallucinated = self._hallucinated_pool.exchange(made_hallucinated)
        learnt = {
            "gallery_d": _learnt(self._gallery_d, gallery, old_gallery),
            "hallucinated_d": _learnt(self._hallucinated_d, hallucinated, old_hallucinated),
        }
        descend(learnt["gallery_d"] + learnt["hallucinated_d"], self._critics_optimiser, name="critics", limit=1.0)
        return told | {name: float(term.detach()) for name, term in (terms | learnt).items()}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of adapted and of plain hallucinated faces to the truth, and of those that came back to themselves.

        None of them is what is trained for; the weights of the last step are taken, as the paper does.
        """
        before = self._hallucinated(batch.lr)
        after = self._adapter.to_gallery(before)
        back = self._adapter.to_hallucinated(after.clamp(0, 1))
        return {
            "psnr_db": psnr_db(after, batch.hr),
            "before_psnr_db": psnr_db(before, batch.hr),
            "cycle_psnr_db": psnr_db(back, before),
        }

    def preview(self, batch: Batch) -> list[Tensor]:
        """LR, hallucinated, adapted, back again; gallery face, as if hallucinated, back again."""
        before = self._hallucinated(batch.lr)
        after = self._adapter.to_gallery(before)
        other = self._adapter.to_hallucinated(batch.hr)
        shown = [batch.lr, before, after, self._adapter.to_hallucinated(after), batch.hr, other]
        return [image.clamp(0, 1) for image in (*shown, self._adapter.to_gallery(other))]

    def _apart(self, faces: Tensor, truth: Tensor) -> Tensor:
        return functional.smooth_l1_loss(_OF_IMAGES * faces, _OF_IMAGES * truth, beta=self._rounded)

    def _hallucinated(self, lr: Tensor) -> Tensor:
        """Faces of the chain as it gives them when it is used: float32 (N, 3, 128, 128) in [0, 1]."""
        with torch.autocast(lr.device.type, enabled=False):
            faces = lr.cpu().numpy()
            for step in self._chain:
                faces = step.hallucinate(faces)
        if faces.shape[1:] != (3, 128, 128):
            raise UsageError(f"cyclegan adapts faces of 128 pixels; the hallucinator before it gives {faces.shape[1:]}")
        return torch.from_numpy(np.ascontiguousarray(faces.clip(0, 1))).to(lr.device)


def _judge(critic: PatchCritic, faces: Tensor) -> Tensor:
    """The generator's loss by a discriminator, which learns nothing from it (least squares)."""
    critic.requires_grad_(False)
    loss: Tensor = (critic(faces) - 1).square().mean()
    critic.requires_grad_(True)
    return loss


def _learnt(critic: PatchCritic, true: Tensor, made: Tensor) -> Tensor:
    real, fake = critic(torch.cat([true, made])).chunk(2)
    loss: Tensor = ((real - 1).square().mean() + fake.square().mean()) / 2
    return loss


def stages(options: Options) -> list[Stage]:
    """The one stage, on faces of the hallucinator ``options.of``.

    Raises:
        UsageError: an unknown preset, stage or hallucinator, or one that is no chain of such.
        MissingError: the hallucinator's weights are not here.
    """
    refuse_unknown("cyclegan", options.preset, PRESETS)
    steps = options.steps_of("cycle", _DEFAULT_STEPS, STAGES)
    chain = _chain(options)
    takes = chain[0].input_spec.size
    sides = (takes,) if takes in (16, 32) else (32, 16)

    def cycle(folder: Path) -> Task:
        torch.manual_seed(0)  # the same first weights in every process
        critics = PatchCritic(options.preset), PatchCritic(options.preset)
        rate, rounded = _RATE[options.preset], ROUNDED[options.preset]
        return CycleStage(Adapter(options.preset), critics, chain, steps=steps, rate=rate, rounded=rounded)

    return [Stage("cycle", cycle, steps, sides)] if steps else []


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training: the averages of its last step.

    Raises:
        DataError: the stage is not finished.
    """
    state = checkpoint.newest(folder / "cycle", lambda line: None)
    if state is None:
        raise DataError(f"{folder / 'cycle'} holds no finished stage; train it first.")
    adapter = Adapter(options.preset)
    adapter.load_state_dict(state["averages"]["adapter"])
    facts = Facts("cyclegan", 0, options.preset, {**trained, "of": options.of})
    save_weights(out, adapter, facts)
    return facts


def _chain(options: Options) -> list[Hallucinator]:
    """The hallucinators of ``options.of``, built as on the command line."""
    from bench.pipeline.chain import Chain

    steps = [step.component for step in Chain.parse(options.of, {"device": options.device}).steps]
    size = steps[-1].output_spec.size
    if size not in (None, 128):
        raise UsageError(f"cyclegan adapts faces of 128 pixels; {options.of!r} gives {size}")
    return steps
