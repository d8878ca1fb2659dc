"""The frame in which each step of a chain outputs faces, and its choice where the user named none.

The registration of a hallucinator lists the frames it can output: its factory takes an argument ``frame`` whose type is
a ``Literal`` of ``auto`` and names of frames (`bench.align.template.FRAMES`, or ``lr``: the position of the face in the
LR image). A hallucinator without that argument has its frame in `Hallucinator.output_frame`.
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
"""Largest distance in pixels of a chip between the points of a face and the recogniser's template."""


@dataclass(frozen=True, slots=True)
class Step:
    """One hallucinator of a chain.

    Attributes:
        spec: as the user wrote it.
        choices: the frames that can be chosen; empty where the user or the hallucinator has decided.
        frame: the frame of its output; empty where faces are not moved, or where it is not chosen yet; None where faces
            are moved to a frame whose points are unknown.
        by_user: whether the user named the frame.
        required_frame: the frame that its input must have, because it was trained on such faces; empty for any.
        fixed_size: whether it takes one size only.
        passthrough: whether it returns its input.
    """

    spec: Spec
    choices: tuple[str, ...]
    frame: str | None
    by_user: bool
    required_frame: str
    fixed_size: bool
    passthrough: bool = False

    @property
    def moves(self) -> bool:
        """Whether it moves faces, or can."""
        return bool(self.choices) or self.frame != ""

    @property
    def preferred_frame(self) -> str:
        """The frame that a step before it should output; empty for any."""
        return self.required_frame or (TRUTH_FRAME if self.fixed_size or self.moves else "")


class FrameChoice(NamedTuple):
    """A frame chosen for a step, and the later step that needs it; empty where alignment or comparison needs it."""

    step: str
    frame: str
    later_step: str


@dataclass(frozen=True, slots=True)
class FramedChain:
    """A chain whose frames are chosen.

    Attributes:
        text: the chain with every frame written out.
        frame: the frame of its output, as `Step.frame`.
        by_user: whether the user named that frame.
        moving_step: name of the step that decides it; empty where no step moves faces.
        choices: the frames that were chosen.
        conflicts: sentences about frames named by the user that the next step does not take.
    """

    text: str
    frame: str | None
    by_user: bool
    moving_step: str
    choices: tuple[FrameChoice, ...]
    conflicts: tuple[str, ...]


def frames_of(entry: Entry[Hallucinator]) -> tuple[str, ...]:
    """The frames that can be chosen for a hallucinator, by its registration; empty for none."""
    values, _ = _declared(entry)
    return tuple(value for value in values if _known(value)) if AUTO in values else ()


def read_steps(chain: str, defaults: Mapping[str, object] | None = None) -> tuple[Step, ...]:
    """The steps of a chain ``A:key=value+B``; see `bench.pipeline.build.build` for what is raised."""
    return tuple(_step(Spec.parse(part), defaults) for part in chain.split("+"))


def choose_frames(steps: Sequence[Step], preferred: Sequence[str], face: FaceTemplate) -> FramedChain:
    """Choose the frame of every step of a chain for which the user named none.

    The last step that moves faces outputs the first frame of ``preferred`` that it offers. If a later network needs a
    frame, it outputs that one; if a later step moves faces too, the frame that networks are trained in.

    Args:
        steps: of the chain.
        preferred: frames preferred after it, the best first.
        face: the recogniser's template; where no preferred frame is available, the nearest one to it is chosen.
    """
    decided: list[Step] = []
    choices: list[FrameChoice] = []
    conflicts: list[str] = []
    for place, step in enumerate(steps):
        later = next((other for other in steps[place + 1 :] if other.preferred_frame), None)
        if step.choices:
            frame = _choose(step.choices, [later.preferred_frame] if later else preferred, face)
            spec = replace(step.spec, arguments=(*_others(step.spec), ("frame", frame)))
            step = replace(step, spec=spec, choices=(), frame="" if frame == LR else frame)
            choices.append(FrameChoice(step.spec.name, frame, later.spec.name if later else ""))
        elif step.by_user and place + 1 < len(steps) and steps[place + 1].required_frame not in ("", step.frame):
            after = steps[place + 1]
            conflicts.append(
                f"{step.spec} comes before {after.spec.name}, which was trained on faces in the frame "
                f"{after.required_frame}: leave frame away, or write frame={after.required_frame}."
            )
        decided.append(step)
    moving = next((step for step in reversed(decided) if step.frame != ""), None)
    framed = [step for old, step in zip(steps, decided, strict=True) if step.frame != "" or step.by_user or old.choices]
    last = moving or next(reversed(framed), None)
    return FramedChain(
        "+".join(str(step.spec) for step in decided),
        moving.frame if moving else "",
        bool(last and last.by_user),
        last.spec.name if last else "",
        tuple(choices),
        tuple(conflicts),
    )


def fits(frame: str | None, face: FaceTemplate) -> bool:
    """Whether a face in a frame is at a recogniser's template when the whole image is used as its chip."""
    return bool(frame) and frame in FRAMES and _distance(frame, face) <= NEAR


def nearest(frames: Sequence[str], face: FaceTemplate) -> list[str]:
    """Those frames whose points are known, the nearest to a recogniser's template first."""
    return sorted((frame for frame in frames if frame in FRAMES), key=lambda frame: _distance(frame, face))


def _choose(choices: Sequence[str], preferred: Sequence[str], face: FaceTemplate) -> str:
    for frame in preferred:
        if frame in choices:
            return frame
    return next(iter(nearest(choices, face)), choices[0])


def _step(spec: Spec, defaults: Mapping[str, object] | None) -> Step:
    entry = HALLUCINATORS[spec.name]
    values, default = _declared(entry)
    named = dict(spec.arguments).get("frame")
    value = default if named is None else named
    if value == AUTO and frames_of(entry):
        return Step(spec, frames_of(entry), "", False, "", False)
    component = build(HALLUCINATORS, spec, defaults).component
    frame = component.output_frame
    if value in values and _known(value):  # the argument is the frame
        frame = "" if value == LR else value
    frame = frame if not frame or _known(frame) else None
    by_user = bool(values) and named is not None
    fixed_size = component.input_spec.size is not None
    return Step(spec, (), frame, by_user, component.input_frame, fixed_size, component.passthrough)


def _declared(entry: Entry[Hallucinator]) -> tuple[tuple[str, ...], str]:
    """The values that a hallucinator's argument ``frame`` can have, and its default; none where it has none."""
    for argument in entry.arguments():
        if argument.name == "frame":
            return _literals(argument.annotation), str(argument.default)
    return (), ""


def _known(frame: str) -> bool:
    """Whether the position of a face in that frame is known."""
    return frame == LR or frame in FRAMES


def _others(spec: Spec) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in spec.arguments if pair[0] != "frame")


def _literals(annotation: Any) -> tuple[str, ...]:
    """The texts of a ``Literal``, or of those in a union."""
    if typing.get_origin(annotation) is Literal:
        return tuple(value for value in typing.get_args(annotation) if isinstance(value, str))
    return tuple(value for option in typing.get_args(annotation) for value in _literals(option))


def _distance(frame: str, face: FaceTemplate) -> float:
    """Largest distance of the five points from the template in pixels of the chip."""
    points = chip_points(frame, face)
    return float(np.linalg.norm(np.subtract(points, face.points), axis=1).max())


def chip_points(frame: str, face: FaceTemplate) -> Points:
    """The five points of a frame when the whole image is used as a recogniser's chip, in its pixels."""
    return tuple((x * face.width - 0.5, y * face.height - 0.5) for x, y in FRAMES[cast("AnyFrame", frame)])
