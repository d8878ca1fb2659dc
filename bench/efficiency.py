"""What the protocol ``efficiency`` hands to the runner: faces to be timed on, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from bench.errors import DataError, UsageError
from bench.types import Media, Role


@dataclass(frozen=True)
class EfficiencySet:
    """LR faces that are hallucinated again and again.

    Attributes:
        faces: LR media of one size, role ``probe``; at least as many as the largest batch.
        batches: faces a pass; each is measured in a process of its own.
        repeats: timed passes of each, at most; 2 or more.
        warmup: passes before them that are not timed; the first builds the network.
        seconds: after so long, and three passes, no further pass is begun.
        cores: processor threads of the timed process.
        official: always None: there is no published set of faces to time on.
        notes: sentences for the user.

    Raises:
        UsageError: numbers that cannot be.
        DataError: there are fewer faces than the largest batch takes.
    """

    faces: tuple[Media, ...]
    batches: tuple[int, ...] = (1, 32)
    repeats: int = 30
    warmup: int = 3
    seconds: float = 60.0
    cores: int = 1
    official: None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        once = len(set(self.batches)) == len(self.batches)
        if not self.batches or not once or min(*self.batches, self.warmup, self.cores) < 1 or self.repeats < 2:
            raise UsageError(
                f"efficiency: batches {list(self.batches)}, {self.repeats} repeats, {self.warmup} to warm up, "
                f"{self.cores} cores; give each batch once, 2 repeats or more, and 1 or more of the others"
            )
        if not 0 < self.seconds < float("inf"):
            raise UsageError(f"efficiency: seconds is {self.seconds}; give more than 0")
        if len(self.faces) < max(self.batches):
            raise DataError(f"{len(self.faces)} faces do not fill a batch of {max(self.batches)}")

    @property
    def media(self) -> dict[Role, tuple[Media, ...]]:
        """The media by role; nobody is enrolled."""
        return {"probe": self.faces, "gallery": ()}
