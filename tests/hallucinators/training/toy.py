"""A small net that learns fixed pictures from noise, for the tests of the loop; also run as a program of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, nn

from hallucinators.training.loop.run import train
from hallucinators.training.steps import distributed
from hallucinators.training.steps.batch import Batch
from hallucinators.training.steps.gradients import NotFiniteError, descend
from hallucinators.training.steps.settings import Settings

SIDE = 8


class ToyTask:
    """Two nets, so that one of them can have stepped when the other fails; ``noisy`` draws random numbers."""

    averaged: tuple[str, ...] = ("net",)

    def __init__(self, *, name: str = "toy", width: int = 4, noisy: bool = True, norm: bool = True) -> None:
        torch.manual_seed(7)
        self.name = name
        middle: list[nn.Module] = [nn.BatchNorm2d(width)] if norm else []
        self.net = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1), *middle, nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1)
        )
        self.shift = nn.Conv2d(3, 3, 1)
        self._noisy = noisy
        self._optimisers = {
            "shift": torch.optim.SGD(self.shift.parameters(), lr=0.01, momentum=0.9),
            "net": torch.optim.Adam(self.net.parameters(), lr=0.01),
        }
        self.spoil: Callable[[int, Tensor], Tensor] = lambda step, loss: loss
        self.psnr: Callable[[float], float] = lambda psnr: psnr

    def modules(self) -> dict[str, nn.Module]:
        return {"net": self.net, "shift": self.shift}

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return self._optimisers

    def update(self, batch: Batch, step: int) -> dict[str, float]:
        shift = (self.shift(batch.lr) - batch.hr).square().mean()
        losses = {"shift": descend(shift, self._optimisers["shift"], name="shift")}
        lr = batch.lr + 0.05 * torch.randn_like(batch.lr) if self._noisy else batch.lr
        loss = self.spoil(step, (self.net(lr) - batch.hr).square().mean())
        return losses | {"pixel": descend(loss, self._optimisers["net"], name="pixel", limit=1.0)}

    def validate(self, batch: Batch) -> dict[str, float]:
        torch.rand(3)  # must not disturb the training
        error = (self.net(batch.lr) - batch.hr).square().mean()
        return {"psnr_db": self.psnr(float(-10 * error.log10()))}

    def preview(self, batch: Batch) -> list[Tensor]:
        return [batch.lr[:, :, ::2, ::2], self.net(batch.lr), batch.hr]


class ToySource:
    """Noise and pictures of the seed and the step; each process takes its share of the whole batch."""

    def __init__(self, whole: int = 4, *, rank: int = 0, world_size: int = 1) -> None:
        self._whole, self._rank, self._world_size = whole, rank, world_size
        self.requested_steps: list[int] = []
        self.at: Callable[[int], None] = lambda step: None

    def batch(self, step: int) -> Batch:
        self.requested_steps.append(step)
        self.at(step)
        return self._drawn(step + 1, slice(self._rank, None, self._world_size))

    def held_out(self) -> list[Batch]:
        return [self._drawn(0, slice(None)), self._drawn(10**6, slice(2))]

    def _drawn(self, seed: int, share: slice) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        lr = torch.rand(self._whole, 3, SIDE, SIDE, generator=generator)
        hr = torch.linspace(0, 1, SIDE).expand(self._whole, 3, SIDE, SIDE) * lr.mean(1, keepdim=True)
        none = torch.zeros(self._whole)
        return Batch(*(part[share] for part in (lr, hr, none, none, none, none)))


def settings(**changes: object) -> Settings:
    kept = dict(steps=12, batch_size=4, threads=1, validate_every=4, checkpoint_every=5, preview_every=0, log_every=3)
    return Settings(**(kept | {"ema_decay": 0.9} | changes))  # type: ignore[arg-type]


def plain_task(bad_step: int) -> ToyTask:
    """A task whose gradient is the mean over faces, so that shares of a batch add up; two steps are spoilt.

    With several processes the last one alone spoils them: ``bad_step`` by its loss, which all feel through the
    gradient, and the third after it by an error once the gradients have been exchanged, which no other feels.
    """
    task = ToyTask(noisy=False, norm=False)
    last = distributed.rank() == distributed.world_size() - 1
    task.spoil = lambda step, loss: loss * torch.nan if step == bad_step and last else loss
    good = task.update

    def update(batch: Batch, step: int) -> dict[str, float]:
        losses = good(batch, step)
        if step == bad_step + 3 and last:
            raise NotFiniteError("a figure of this process")
        return losses

    task.update = update  # type: ignore[method-assign]
    return task


def main() -> None:
    """``toy.py OUT kill STEP`` trains until it kills itself; ``toy.py OUT share STEP`` is one of many processes."""
    out, what, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    world_size = distributed.world_size()
    task = ToyTask() if what == "kill" else plain_task(at)
    sys.modules["torch.utils.tensorboard"] = None  # type: ignore[assignment]  # it takes seconds to import
    if what == "kill":
        task.spoil = lambda step, loss: os.kill(os.getpid(), signal.SIGKILL) or loss if step == at else loss
    source = ToySource(4, rank=distributed.rank(), world_size=world_size)
    result = train(task, source, settings(batch_size=4 // world_size), out)
    if distributed.rank() == 0:
        print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
