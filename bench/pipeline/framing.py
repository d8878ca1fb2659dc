"""In which frame each step of a chain puts faces, and which one is picked where the user leaves it to the runner.

A hallucinator says by its registration which frames it can give: its factory takes an argument ``frame`` whose type is
a ``Literal`` of ``auto`` and names of frames (`bench.align.template.FRAMES`, or ``lr``: where the face stands in the LR
image). One without that argument says where it puts faces by `Hallucinator.output_frame`.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from bench.align.template import FRAMES, TRUTH_FRAME, AnyFrame
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.pipeline.build import build
from bench.registry import Entry, Spec
from bench.types import FaceTemplate, Points

AUTO, LR = "auto", "lr"
NEAR = 6.0
"""Pixels of a chip by which the points of a face may miss the recogniser's template."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hallucinator of a chain.

    Attributes:
        spec: as the user wrote it.
        choices: the frames that the runner may pick from; empty where the user or the hallucinator has decided.
        frame: the frame it puts faces in; empty where they stay, or where it is still to be picked; None where they
            are moved to no frame whose points are known.
        by_hand: whether the user named the frame.
        needs: name of the frame it must be given faces in, since it was trained on such faces; empty for any.
        fixed: whether it takes one size only.
        idle: whether it gives its input back.
    """

    spec: Spec
    choices: tuple[str, ...]
    frame: str | None
    by_hand: bool
    needs: str
    fixed: bool
    idle: bool = False

    @property
    def moves(self) -> bool:
        """Whether it moves faces, or may."""
        return bool(self.choices) or self.frame != ""

    @property
    def wants(self) -> str:
        """The frame that a mover before it should give; empty for any."""
        return self.needs or (TRUTH_FRAME if self.fixed or self.moves else "")


class Picked(NamedTuple):
    """A frame picked for a step, and the later step it was picked for; empty where that is what follows the chain."""

    step: str
    frame: str
    behind: str


@dataclass(frozen=True, slots=True)
class Framed:
    """A chain whose frames are decided.

    Attributes:
        text: the chain with every frame written out; what is built.
        frame: the frame that its faces end in, as `Step.frame`.
        by_hand: whether the user named that frame.
        mover: name of the step that decides it; empty where no step moves faces.
        picked: steps whose frame was picked.
        misfits: sentences about frames named by hand that the next step does not take.
    """

    text: str
    frame: str | None
    by_hand: bool
    mover: str
    picked: tuple[Picked, ...]
    misfits: tuple[str, ...]


def frames_of(entry: Entry[Hallucinator]) -> tuple[str, ...]:
    """The frames that a hallucinator leaves to the runner to pick from, by its registration; empty for none."""
    values, _ = _declared(entry)
    return tuple(value for value in values if _known(value)) if AUTO in values else ()


def read_steps(chain: str, defaults: Mapping[str, object] | None = None) -> tuple[Step, ...]:
    """The steps of a chain ``A:key=value+B``; see `bench.pipeline.build.build` for what is raised."""
    return tuple(_step(Spec.parse(part), defaults) for part in chain.split("+"))


def settle(steps: Sequence[Step], wanted: Sequence[str], face: FaceTemplate) -> Framed:
    """Decide every frame of a chain that is still to be picked.

    The last step that moves faces gives what is wanted after the chain, unless a network that was trained on upright
    faces comes behind it; a step before another one that moves gives the frame that networks are trained in.

    Args:
        steps: of the chain.
        wanted: frames wanted after it, the best first.
        face: the recogniser's template; of frames that are not wanted the one nearest to it is picked.
    """
    decided: list[Step] = []
    picked: list[Picked] = []
    misfits: list[str] = []
    for place, step in enumerate(steps):
        behind = next((other for other in steps[place + 1 :] if other.wants), None)
        if step.choices:
            frame = _choose(step.choices, [behind.wants] if behind else wanted, face)
            spec = replace(step.spec, arguments=(*_others(step.spec), ("frame", frame)))
            step = replace(step, spec=spec, choices=(), frame="" if frame == LR else frame)
            picked.append(Picked(step.spec.name, frame, behind.spec.name if behind else ""))
        elif step.by_hand and place + 1 < len(steps) and steps[place + 1].needs not in ("", step.frame):
            after = steps[place + 1]
            misfits.append(
                f"{step.spec} comes before {after.spec.name}, which was trained on faces in the frame {after.needs}: "
                f"leave frame away, or write frame={after.needs}."
            )
        decided.append(step)
    mover = next((step for step in reversed(decided) if step.frame != ""), None)
    framed = [step for old, step in zip(steps, decided, strict=True) if step.frame != "" or step.by_hand or old.choices]
    last = mover or next(reversed(framed), None)
    return Framed(
        "+".join(str(step.spec) for step in decided),
        mover.frame if mover else "",
        bool(last and last.by_hand),
        last.spec.name if last else "",
        tuple(picked),
        tuple(misfits),
    )


def fits(frame: str | None, face: FaceTemplate) -> bool:
    """Whether a face in a frame stands on a recogniser's template when the whole image is taken as its chip."""
    return bool(frame) and frame in FRAMES and _distance(frame, face) <= NEAR


def nearest(frames: Sequence[str], face: FaceTemplate) -> list[str]:
    """The named ones of some frames, that nearest to a recogniser's template first."""
    return sorted((frame for frame in frames if frame in FRAMES), key=lambda frame: _distance(frame, face))


def _choose(choices: Sequence[str], wanted: Sequence[str], face: FaceTemplate) -> str:
    for frame in wanted:
        if frame in choices:
            return frame
    return next(iter(nearest(choices, face)), choices[0])


def _step(spec: Spec, defaults: Mapping[str, object] | None) -> Step:
    entry = HALLUCINATORS[spec.name]
    values, default = _declared(entry)
    given = dict(spec.arguments).get("frame")
    value = default if given is None else given
    if value == AUTO and frames_of(entry):
        return Step(spec, frames_of(entry), "", False, "", False)
    component = build(HALLUCINATORS, spec, defaults).component
    frame = component.output_frame
    if value in values and _known(value):  # the argument itself says it
        frame = "" if value == LR else value
    frame = frame if not frame or _known(frame) else None
    by_hand = bool(values) and given is not None
    fixed = component.input_spec.size is not None
    return Step(spec, (), frame, by_hand, component.input_frame, fixed, component.passthrough)


def _declared(entry: Entry[Hallucinator]) -> tuple[tuple[str, ...], str]:
    """The values that a hallucinator's argument ``frame`` may have, and its default; none where it has none."""
    for argument in entry.arguments():
        if argument.name == "frame":
            return _literals(argument.annotation), str(argument.default)
    return (), ""


def _known(frame: str) -> bool:
    """Whether it is known where a face of that frame stands."""
    return frame == LR or frame in FRAMES


def _others(spec: Spec) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in spec.arguments if pair[0] != "frame")


def _literals(annotation: Any) -> tuple[str, ...]:
    """The texts of a ``Literal``, or of those in a union."""
    if typing.get_origin(annotation) is Literal:
        return tuple(value for value in typing.get_args(annotation) if isinstance(value, str))
    return tuple(value for option in typing.get_args(annotation) for value in _literals(option))


def _distance(frame: str, face: FaceTemplate) -> float:
    """By how many pixels of the chip the farthest of five points misses the template."""
    points = chip_points(frame, face)
    return float(np.linalg.norm(np.subtract(points, face.points), axis=1).max())


def chip_points(frame: str, face: FaceTemplate) -> Points:
    """Where the five points of a frame lie when the whole image is taken as a recogniser's chip, in its pixels."""
    return tuple((x * face.width - 0.5, y * face.height - 0.5) for x, y in FRAMES[cast("AnyFrame", frame)])
