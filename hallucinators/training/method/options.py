"""Options of a training, and the stages that a method returns for them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import UsageError
from hallucinators.networks.presets import LR_SIDES, refuse_unknown

if TYPE_CHECKING:
    from bench.faces.pairs.pack import Pack
    from hallucinators.training.data.augmentation import Augmentation
    from hallucinators.training.steps.task import BatchSource, Task


def parse_steps(text: str) -> dict[str, int]:
    """Parse ``coarse=100,whole=0``.

    Raises:
        UsageError: the text has another form.
    """
    steps = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        if not number.isdecimal():
            raise UsageError(f"--steps is STAGE=N,STAGE=N; {part!r} has another form")
        steps[name.strip()] = int(number)
    return steps


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a training.

    Attributes:
        method: name in `hallucinators.networks.registration.TRAINERS`.
        lr: side of the LR faces, 16 or 32; ignored by methods that take both.
        preset: name of the sizes of the network.
        steps: steps by stage; a stage that is not named takes its default, and 0 leaves it out.
        identity: teacher of the identity loss: ``dlib``, ``none``, or the path of ResNet-50's ImageNet weights.
        losses: name of a set of losses, where the method has several.
        touchup: False trains without touching-up networks (V-TN).
        component_aware: False trains without the component-aware module.
        true_components: train and validate with the true components (V+GT).
        carry: False: the paper's coarse network adds to grey, not to the aligned LR image.
        device: torch device of the teacher.
        aligner: weight file of the trained ``stn`` for methods behind it; None takes the shipped one.
        of: hallucinator whose output a domain adapter is trained on, as on the command line.
        photographs: packs of photographs in any pose for the stage of that name; empty leaves the stage out.
        people: number of people in the training set, for networks that classify them.
        degradation: whether LR faces of photographs have other kernels, blur, noise and JPEG, on a share of them.
        templates: whether photographs of people with two or more are compared with the person's template.
        depth: residual blocks added to the flow network.
        start: weight file that the first stage starts from; None starts from random weights.
        seed: of the initial weights, where the method uses it.
        recipe: name of the recipe that ``settings`` started from.
        settings: values of options that only this method has, by name.
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
    photographs: Sequence[Pack] = ()
    depth: int = 0
    start: Path | None = None
    degradation: bool = True
    templates: bool = True
    seed: int = 0
    recipe: str = "ours"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def refuse_unknown(self, presets: Collection[str], sizes: Collection[int] = LR_SIDES) -> None:
        """Refuse a preset or LR side that the method does not have.

        Raises:
            UsageError: the preset or the side is unknown.
        """
        refuse_unknown(self.method, self.preset, presets, self.lr, sizes)

    def stage_steps(self, defaults: Mapping[str, int]) -> dict[str, int]:
        """Steps by stage, in the order of the defaults.

        Args:
            defaults: default steps of every stage of the method, in order.

        Raises:
            UsageError: steps are given for a stage the method does not have.
        """
        unknown = sorted(set(self.steps) - set(defaults))
        if unknown:
            raise UsageError(f"{self.method} has no stage {unknown[0]!r}; its stages are {', '.join(defaults)}")
        return {name: self.steps.get(name, default) for name, default in defaults.items()}


@dataclass(frozen=True)
class Stage:
    """One run of the loop.

    Attributes:
        name: name of the stage and of its folder.
        build: builds the task from the folder of the whole training, which holds the earlier stages.
        steps: optimisation steps.
        sides: sides of the LR images, in turn.
        flow: whether batches have flow targets.
        upright: whether batches have the turned face before it was moved.
        augmentation: random changes of the pairs; None takes the defaults.
        mix: makes the source of the stage from that of the rendered pairs, the batch size, seed and rank; None trains
            on the pairs alone.
    """

    name: str
    build: Callable[[Path], Task]
    steps: int
    sides: tuple[int, ...]
    flow: bool = False
    upright: bool = False
    augmentation: Augmentation | None = None
    mix: Callable[[BatchSource, int, int, int], BatchSource] | None = None
