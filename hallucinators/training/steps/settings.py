"""Settings of the training loop, independent of the method. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from bench.errors import UsageError

PRECISIONS = ("fp32", "bf16")

# A resumed run must have the same values of these, since its curve would otherwise not be that of one run. The others
# (limits, device, threads, intervals) may differ.
FIXED = ("batch_size", "seed", "precision", "ema_decay")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of the loop.

    Attributes:
        steps: optimisation steps over all calls; >= 1.
        minutes: limit of the training time over all calls; None for no limit. A run that reached it continues with a
            larger one.
        batch_size: faces per step and process; >= 1.
        seed: seed of random numbers in training; >= 0. Each process has a stream of its own.
        device: ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``fp32``, or ``bf16`` for bfloat16 autocast (weights stay float32).
        threads: processor threads of torch; 0 leaves its own choice.
        validate_every: steps between validations; >= 1. The last step is always validated.
        checkpoint_every: steps between checkpoints; >= 1. Every clean stop writes one too.
        preview_every: steps between preview grids and redrawn curves; 0 for none.
        patience: validations without improvement (`validation.selection_figure`) before an early stop; 0 for none.
        ema_decay: decay of the averaged weights, in [0, 1).
        log_every: steps between rows of the curve; >= 1. A row holds the means since the row before.

    Raises:
        UsageError: values out of range; all faults at once.
    """

    steps: int
    minutes: float | None = None
    batch_size: int = 16
    seed: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 0
    validate_every: int = 500
    checkpoint_every: int = 500
    preview_every: int = 500
    patience: int = 0
    ema_decay: float = 0.999
    log_every: int = 50

    def __post_init__(self) -> None:
        wrong = []
        for name in ("steps", "batch_size", "validate_every", "checkpoint_every", "log_every"):
            if getattr(self, name) < 1:
                wrong.append(f"{name} is {getattr(self, name)}; it must be at least 1")
        for name in ("seed", "threads", "preview_every", "patience"):
            if getattr(self, name) < 0:
                wrong.append(f"{name} is {getattr(self, name)}; it must not be negative")
        if self.minutes is not None and not (self.minutes > 0 and math.isfinite(self.minutes)):
            wrong.append(f"minutes is {self.minutes}; it must be more than 0, or None for no limit")
        if self.precision not in PRECISIONS:
            wrong.append(f"precision is {self.precision!r}; it must be one of {', '.join(PRECISIONS)}")
        if not 0 <= self.ema_decay < 1:
            wrong.append(f"ema_decay is {self.ema_decay}; it must be in [0, 1)")
        kind, _, index = self.device.partition(":")
        if kind not in ("cpu", "cuda", "mps") or (":" in self.device and not (kind == "cuda" and index.isdigit())):
            wrong.append(f"device is {self.device!r}; it must be cpu, cuda, cuda:N or mps")
        if wrong:
            raise UsageError("Training settings: " + "; ".join(wrong))

    def fixed(self) -> dict[str, int | float | str]:
        """The settings that a resumed run must share with its checkpoint."""
        return {name: value for name, value in asdict(self).items() if name in FIXED}
