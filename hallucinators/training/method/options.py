"""What ``bench train`` hands to a method, and what a method hands back: its stages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from hallucinators.networks.presets import LR_SIDES, refuse_unknown

if TYPE_CHECKING:
    from hallucinators.training.steps.task import Task

METHODS: Mapping[str, str] = {
    "vividgan": "hallucinators.vividgan.training.recipe",
    "vividgan-flow": "hallucinators.vividgan.training.recipe",
    "stn": "hallucinators.stn.aligner",
    "srgan": "hallucinators.srgan.training",
    "cbn": "hallucinators.cbn.training",
    "waveletsrnet": "hallucinators.waveletsrnet.training",
    "tdae": "hallucinators.tdae.training",
    "tann": "hallucinators.tann.training",
    "drgan": "hallucinators.drgan.training",
    "cyclegan": "hallucinators.cyclegan.training",
}
"""What can be trained, and the module whose ``stages`` and ``export`` say how."""


def steps_of_text(text: str) -> dict[str, int]:
    """``coarse=100,whole=0`` as a mapping.

    Raises:
        UsageError: it is not of that kind.
    """
    found = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if not number.isdecimal():
            raise UsageError(f"--steps is STAGE=N,STAGE=N; {part!r} is not of that kind")
        found[name.strip()] = int(number)
    return found


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user asked for.

    Attributes:
        method: name in `METHODS`.
        lr: side of the LR faces, 16 or 32; ignored by methods that take both.
        preset: sizes by name.
        steps: of each stage by name; a stage that is not named takes its own default, and 0 leaves it out.
        identity: teacher of the identity loss: ``dlib``, ``none``, or the path of ResNet-50's ImageNet weights.
        losses: set of losses by name, where the method has several.
        touchup: False trains without touching-up networks (V-TN).
        component_aware: False trains without the component-aware module.
        true_components: train and validate with the true components (V+GT).
        carry: False leaves out the aligned LR picture that the paper's coarse network is given to add to.
        device: torch device of the teacher.
        people: how many people are trained on; networks that classify them need to know.
        aligner: weight file of the trained ``stn`` for methods that see its output; None takes the shipped one.
        of: hallucinator whose faces a domain adapter learns from, as on the command line.
    """

    method: str
    lr: int = 16
    preset: str = "compact"
    steps: Mapping[str, int] = field(default_factory=dict)
    identity: str = "dlib"
    losses: str = "full"
    touchup: bool = True
    component_aware: bool = True
    true_components: bool = False
    carry: bool = True
    device: str = "cpu"
    people: int = 0
    aligner: Path | None = None
    of: str = "vividgan-flow"

    def refuse_unknown(self, presets: Collection[str], sizes: Collection[int] = LR_SIDES) -> None:
        """See that the method has such a preset and takes such LR faces.

        Raises:
            UsageError: it does not.
        """
        refuse_unknown(self.method, self.preset, presets, self.lr, sizes)

    def steps_of(self, stage: str, default: int, known: tuple[str, ...]) -> int:
        """Steps of a stage.

        Raises:
            UsageError: steps are given for a stage the method does not have.
        """
        unknown = sorted(set(self.steps) - set(known))
        if unknown:
            raise UsageError(f"{self.method} has no stage {unknown[0]!r}; its stages are {', '.join(known)}")
        return self.steps.get(stage, default)


@dataclass(frozen=True)
class Stage:
    """One run of the loop.

    Attributes:
        name: of the stage and of its folder.
        make: builds the task, given the folder of the whole training (finished stages are read from there).
        steps: of optimisation.
        sides: of the LR images, taking turns.
        flow: whether batches carry flow targets.
        upright: whether batches carry the turned face before it was moved.
    """

    name: str
    make: Callable[[Path], Task]
    steps: int
    sides: tuple[int, ...]
    flow: bool = False
    upright: bool = False
