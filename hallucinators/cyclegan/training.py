"""Training the CycleGAN between hallucinated faces and gallery faces.

Source: J.-Y. Zhu et al., ICCV 2017, and their public code. Differences are listed in
`hallucinators.cyclegan.DEPARTURES`. VividGAN's paper (section V) gives no settings and does not say which direction is
applied; both generators are exported.
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
from hallucinators.training.steps.network_task import NetworkTask
from hallucinators.training.steps.schedule import rate_at, rate_group, set_rates
from hallucinators.training.steps.task import Task

DEFAULT_STEPS = {"cycle": 1500}
_RATE = {"paper": 2e-4, "paper-9": 2e-4, "compact": 5e-4}
CYCLE, IDENTITY = 10.0, 5.0
"""Weights of the absolute errors, for faces in [-1, 1]: of the cycle, and of the identity mapping."""
HUBER_DELTA: Mapping[str, float] = {"paper": 0.0, "paper-9": 0.0, "compact": 0.1}
"""By preset, the error below which both grow with its square. A residual network starts with both errors at 0; the
gradient of an absolute error, which is not small there, keeps it there (measured: it returns its input)."""
_RANGE = 2.0  # from images in [0, 1] to [-1, 1]


class CycleStage(NetworkTask):
    """Two generators and two discriminators."""

    def __init__(
        self,
        adapter: Adapter,
        critics: tuple[PatchCritic, PatchCritic],
        steps_before: Sequence[Hallucinator],
        *,
        steps: int,
        rate: float = 2e-4,
        huber_delta: float = 0.0,
        pool: int = 50,
    ) -> None:
        """Set up the stage.

        Args:
            adapter: the generators.
            critics: the discriminators of gallery faces and of hallucinated faces.
            steps_before: the chain whose output is adapted; it is not trained.
            steps: of the whole training.
            rate: greatest learning rate.
            huber_delta: see `HUBER_DELTA`.
            pool: number of earlier generated faces of each kind that the discriminators are shown again.
        """
        self._adapter, self._gallery_d, self._hallucinated_d = adapter, *critics
        self._gallery_pool, self._hallucinated_pool = Pool(pool), Pool(pool)
        self._chain, self._steps, self._huber_delta = tuple(steps_before), steps, huber_delta
        betas = (0.5, 0.999)
        super().__init__(
            "cyclegan", adapter, Adam([rate_group(adapter.parameters(), rate)], betas=betas), key="adapter"
        )
        parameters = [parameter for critic in critics for parameter in critic.parameters()]
        self._critics_optimiser = Adam([rate_group(parameters, rate)], betas=betas)

    def modules(self) -> dict[str, nn.Module]:
        """Generators, discriminators and their pools."""
        return super().modules() | {
            "gallery_d": self._gallery_d,
            "hallucinated_d": self._hallucinated_d,
            "gallery_pool": self._gallery_pool,
            "hallucinated_pool": self._hallucinated_pool,
        }

    def optimisers(self) -> dict[str, Optimizer]:
        """One for the generators, one for the discriminators."""
        return super().optimisers() | {"critics": self._critics_optimiser}

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        """One step of the generators, then one of the discriminators.

        Raises:
            DataError: a batch of one face, which has no face of another person.
        """
        share = rate_at(step, self._steps, warm=min(50, self._steps // 5))
        set_rates(self._optimiser, share)
        set_rates(self._critics_optimiser, share)
        half = len(batch) // 2
        if not half:
            raise DataError("cyclegan: a batch needs two faces, since the gallery's are of other people")
        hallucinated, gallery = self._hallucinated(batch.lr[:half]), batch.hr[half : 2 * half]
        to_gallery, to_hallucinated = self._adapter.to_gallery, self._adapter.to_hallucinated
        as_gallery, same_gallery = to_gallery(torch.cat([hallucinated, gallery])).chunk(2)
        as_hallucinated, same_hallucinated = to_hallucinated(torch.cat([gallery, hallucinated])).chunk(2)
        back_hallucinated, back_gallery = to_hallucinated(as_gallery), to_gallery(as_hallucinated)
        terms = {
            "to_gallery": _generator_loss(self._gallery_d, as_gallery),
            "to_hallucinated": _generator_loss(self._hallucinated_d, as_hallucinated),
            "cycle": self._error(back_hallucinated, hallucinated) + self._error(back_gallery, gallery),
            "identity": self._error(same_gallery, gallery) + self._error(same_hallucinated, hallucinated),
        }
        total = terms["to_gallery"] + terms["to_hallucinated"] + CYCLE * terms["cycle"] + IDENTITY * terms["identity"]
        figures = {"total": descend(total, self._optimiser, name="cyclegan", limit=1.0)}
        old_gallery = self._gallery_pool.exchange(as_gallery)
        old_hallucinated = self._hallucinated_pool.exchange(as_hallucinated)
        critics = {
            "gallery_d": _discriminator_loss(self._gallery_d, gallery, old_gallery),
            "hallucinated_d": _discriminator_loss(self._hallucinated_d, hallucinated, old_hallucinated),
        }
        descend(critics["gallery_d"] + critics["hallucinated_d"], self._critics_optimiser, name="critics", limit=1.0)
        return figures | {name: float(term.detach()) for name, term in (terms | critics).items()}

    def validate(self, batch: Batch) -> dict[str, float]:
        """PSNR of adapted and of hallucinated faces to the truth, and of the cycle to its input.

        None of them is the objective; the weights of the last step are exported, as in the paper.
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
        """LR image, hallucinated face, adapted, cycled back; gallery face, adapted the other way, cycled back."""
        before = self._hallucinated(batch.lr)
        after = self._adapter.to_gallery(before)
        other = self._adapter.to_hallucinated(batch.hr)
        shown = [batch.lr, before, after, self._adapter.to_hallucinated(after), batch.hr, other]
        return [image.clamp(0, 1) for image in (*shown, self._adapter.to_gallery(other))]

    def _error(self, faces: Tensor, truth: Tensor) -> Tensor:
        return functional.smooth_l1_loss(_RANGE * faces, _RANGE * truth, beta=self._huber_delta)

    def _hallucinated(self, lr: Tensor) -> Tensor:
        """Output of the chain, as in inference: float32 (N, 3, 128, 128) in [0, 1]."""
        with torch.autocast(lr.device.type, enabled=False):
            faces = lr.cpu().numpy()
            for step in self._chain:
                faces = step.hallucinate(faces)
        if faces.shape[1:] != (3, 128, 128):
            raise UsageError(f"cyclegan adapts faces of 128 pixels; the hallucinator before it gives {faces.shape[1:]}")
        return torch.from_numpy(np.ascontiguousarray(faces.clip(0, 1))).to(lr.device)


def _generator_loss(critic: PatchCritic, faces: Tensor) -> Tensor:
    """Least-squares adversarial loss of the generator; the discriminator gets no gradient."""
    critic.requires_grad_(False)
    loss: Tensor = (critic(faces) - 1).square().mean()
    critic.requires_grad_(True)
    return loss


def _discriminator_loss(critic: PatchCritic, faces: Tensor, generated: Tensor) -> Tensor:
    real, fake = critic(torch.cat([faces, generated])).chunk(2)
    loss: Tensor = ((real - 1).square().mean() + fake.square().mean()) / 2
    return loss


def stages(options: Options) -> list[Stage]:
    """The one stage, on faces of the hallucinator ``options.of``.

    Raises:
        UsageError: an unknown preset, stage or hallucinator.
        MissingError: the hallucinator's weights do not exist.
    """
    refuse_unknown("cyclegan", options.preset, PRESETS)
    steps = options.stage_steps(DEFAULT_STEPS)["cycle"]
    chain = _chain(options)
    side = chain[0].input_spec.size
    sides = (side,) if side in (16, 32) else (32, 16)

    def cycle(folder: Path) -> Task:
        torch.manual_seed(0)  # the same initial weights in every process
        critics = PatchCritic(options.preset), PatchCritic(options.preset)
        rate, delta = _RATE[options.preset], HUBER_DELTA[options.preset]
        return CycleStage(Adapter(options.preset), critics, chain, steps=steps, rate=rate, huber_delta=delta)

    return [Stage("cycle", cycle, steps, sides)] if steps else []


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training: the averages of its last step.

    Raises:
        DataError: the stage is not finished.
    """
    state = checkpoint.load_newest(folder / "cycle", lambda line: None)
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
