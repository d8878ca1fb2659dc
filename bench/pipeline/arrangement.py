"""Chooses which side is hallucinated, in which frame, and how each side is aligned, where the user did not.

A recogniser expects the face of a chip at its template. An aligner brings it there, or the face is in a frame that has
it there. The rules are in docs/hallucinate.md, "Frames".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.align.template import TRUTH_FRAME
from bench.config import RunConfig
from bench.interfaces import RECOGNISERS, EvalProtocol
from bench.pipeline.arrangement_notes import (
    SideState,
    frame_notes,
    join_sides,
    other_side,
    position_in_chip,
    side_notes,
    warnings_of,
)
from bench.pipeline.build import build
from bench.pipeline.framing import LR, Step, choose_frames, fits, nearest, read_steps
from bench.pipeline.plan import SIDES, EmbedPlan, PlanSide
from bench.registry import Spec
from bench.types import FaceTemplate, Side


@dataclass(frozen=True)
class Arrangement:
    """How both sides become embeddings, and what was chosen.

    Attributes:
        side: what goes through the hallucinator.
        probe: how probes become embeddings.
        gallery: how gallery and distractors do.
        frames: by side, the frame of its hallucinated faces; empty where they are not moved.
        notes: what was chosen and why, in sentences.
        warnings: what does not fit, with the flag that corrects it.
    """

    side: Side
    probe: EmbedPlan
    gallery: EmbedPlan
    frames: Mapping[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def arrange(config: RunConfig, protocol: EvalProtocol) -> Arrangement:
    """Choose the sides, frames and aligners of a run.

    Raises:
        UsageError, MissingError: the chain, an aligner or the recogniser is wrong or lacks something.
    """
    defaults = {"device": config.device, "threads": config.threads}
    recogniser = Spec.parse(config.recogniser)
    face = build(RECOGNISERS, recogniser, defaults).component.face
    steps = read_steps(config.hallucinator, defaults)
    side = _side(config, protocol, steps)
    parts = _parts(config, protocol, side, steps)
    for part in parts.values():
        if part.steps:
            part.framed = choose_frames(part.steps, _preferred_frames(part, parts, protocol, face), face)
    notes = [*side_notes(config, protocol, side, steps), *frame_notes(parts, protocol, recogniser.name)]
    if protocol.recognises:
        notes += _realign(parts, protocol, face)
    common: dict[str, Any] = {
        "recogniser": recogniser,
        "flip": protocol.flip,
        "batch_size": config.batch_size,
        "device": config.device,
        "threads": config.threads,
    }
    plans = {
        name: EmbedPlan(chain=part.framed.text if part.framed else None, align=part.align, **common)
        for name, part in parts.items()
    }
    return Arrangement(
        side,
        plans["probe"],
        plans["gallery"],
        {name: part.framed.frame for name, part in parts.items() if part.framed},
        tuple(notes),
        tuple(dict.fromkeys(warnings_of(parts, protocol, face, config))),
    )


def _side(config: RunConfig, protocol: EvalProtocol, steps: tuple[Step, ...]) -> Side:
    if config.hallucinate != "auto":
        return config.hallucinate
    return "probe" if all(step.passthrough for step in steps) else protocol.lr_sides


def _parts(config: RunConfig, protocol: EvalProtocol, side: Side, steps: tuple[Step, ...]) -> dict[PlanSide, SideState]:
    aligners = {"probe": config.align, "gallery": config.align_gallery or config.align}
    crops = {"probe": protocol.probe_frame, "gallery": protocol.gallery_frame or protocol.wanted_frame or ""}
    return {
        name: SideState(
            name,
            Spec.parse(aligners[name] or protocol.default_align),
            aligners[name] is not None,
            crops[name],
            steps if side in (name, "both") else None,
        )
        for name in SIDES
    }


def _preferred_frames(
    part: SideState, parts: Mapping[PlanSide, SideState], protocol: EvalProtocol, face: FaceTemplate
) -> list[str]:
    """The frames that a side's hallucinator should output, the best first."""
    if protocol.wanted_frame is not None:
        return [protocol.wanted_frame or LR]
    if not protocol.recognises:
        return [TRUTH_FRAME]
    if part.template:
        return [part.template, LR]
    if part.align.name != "none":
        return [LR]
    choices = [frame for step in part.steps or () for frame in step.choices]
    chips = [frame for frame in nearest(choices, face) if fits(frame, face)]
    other = other_side(part, parts)
    not_at_template = other.align.name == "none" and not other.can_move and not fits(other.crop_frame, face)
    if not_at_template:  # both sides are then images as the data set has them
        return [LR, *chips]
    return [*chips, *([LR] if part.by_user else [])]


def _realign(parts: Mapping[PlanSide, SideState], protocol: EvalProtocol, face: FaceTemplate) -> list[str]:
    """Align sides by the frame that the hallucinator gives, where the user named no aligner and no frame."""
    sides: dict[str, list[PlanSide]] = {}
    for part in parts.values():
        if not part.moved or part.by_user or not part.framed or part.framed.by_user or not part.frame:
            continue
        if position_in_chip(part, protocol, face) != "off":
            continue
        before, part.align = part.align, Spec("template", (("frame", part.frame),))
        text = (
            f"aligned by template:frame={part.frame}, the frame of the faces of {part.framed.moving_step}, not by the "
            f"protocol's own {before}"
        )
        sides.setdefault(text, []).append(part.name)
    return [f"{join_sides(names)} {'is' if len(names) == 1 else 'are'} {text}." for text, names in sides.items()]
