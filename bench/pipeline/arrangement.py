"""Which side is hallucinated, in which frame, and how each side is aligned: what the user leaves open is picked here.

A recogniser looks at a chip, in which it expects the face at its template. A side is aligned by an aligner, or comes in
a frame that already has the face there. The rules are in docs/architecture.md, "Frames".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.align.template import TRUTH_FRAME
from bench.config import RunConfig
from bench.interfaces import RECOGNISERS, EvalProtocol
from bench.pipeline.build import build
from bench.pipeline.framing import LR, Framed, Step, fits, nearest, read_steps, settle
from bench.pipeline.plan import EmbedPlan
from bench.registry import Spec
from bench.types import FaceTemplate, Side

PlanSide = Literal["probe", "gallery"]
SIDES: tuple[PlanSide, ...] = ("probe", "gallery")


@dataclass(frozen=True)
class Arrangement:
    """How both sides become embeddings, and what was picked.

    Attributes:
        side: what goes through the hallucinator.
        probe: how probes become embeddings.
        gallery: how gallery and distractors do.
        frames: by side, the frame that its hallucinated faces stand in; empty where they stay where they stood.
        notes: what was picked and why, in sentences.
        warnings: what does not fit, with the flag to add.
    """

    side: Side
    probe: EmbedPlan
    gallery: EmbedPlan
    frames: Mapping[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass
class _Part:
    """One side while it is being decided."""

    name: PlanSide
    align: Spec
    named: bool  # whether the user named its aligner
    crop: str  # frame of the data set's images
    steps: tuple[Step, ...] | None
    framed: Framed | None = None

    @property
    def movable(self) -> bool:
        """Whether its faces are, or can be, moved by the hallucinator."""
        return any(step.moves for step in self.steps or ())

    @property
    def frame(self) -> str | None:
        """The frame its faces stand in before alignment; empty where it has no name, None where it is unknown."""
        moved = self.framed.frame if self.framed else ""
        return self.crop if moved == "" else moved

    @property
    def moved(self) -> bool:
        """Whether the hallucinator has moved its faces."""
        return self.framed is not None and self.framed.frame != ""

    @property
    def template(self) -> str:
        """The frame that the aligner ``template`` expects; empty for another aligner, and for points by hand."""
        arguments = dict(self.align.arguments)
        return (
            arguments.get("frame", "celeba128") if self.align.name == "template" and "points" not in arguments else ""
        )


def arrange(config: RunConfig, protocol: EvalProtocol) -> Arrangement:
    """Decide the sides, frames and aligners of a run.

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
            part.framed = settle(part.steps, _wanted(part, parts, protocol, face), face)
    notes = [*_side_notes(config, protocol, side, steps), *_frame_notes(parts, protocol, recogniser.name)]
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
        tuple(dict.fromkeys(_warnings(parts, protocol, face, config))),
    )


def _side(config: RunConfig, protocol: EvalProtocol, steps: tuple[Step, ...]) -> Side:
    if config.hallucinate != "auto":
        return config.hallucinate
    return "probe" if all(step.idle for step in steps) else protocol.lr_sides  # nothing is done on either side


def _parts(config: RunConfig, protocol: EvalProtocol, side: Side, steps: tuple[Step, ...]) -> dict[PlanSide, _Part]:
    named = {"probe": config.align, "gallery": config.align_gallery or config.align}
    crops = {"probe": protocol.probe_frame, "gallery": protocol.gallery_frame or protocol.wanted_frame or ""}
    return {
        name: _Part(
            name,
            Spec.parse(named[name] or protocol.default_align),
            named[name] is not None,
            crops[name],
            steps if side in (name, "both") else None,
        )
        for name in SIDES
    }


def _wanted(part: _Part, parts: Mapping[PlanSide, _Part], protocol: EvalProtocol, face: FaceTemplate) -> list[str]:
    """The frames that are wanted of a side's hallucinator, the best first."""
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
    other = _other(part, parts)
    as_it_is = other.align.name == "none" and not other.movable and not fits(other.crop, face)
    if as_it_is:  # both sides are then images as the data set has them
        return [LR, *chips]
    return [*chips, *([LR] if part.named else [])]


def _realign(parts: Mapping[PlanSide, _Part], protocol: EvalProtocol, face: FaceTemplate) -> list[str]:
    """Align sides by the frame that the hallucinator gives, where the user named no aligner and no frame."""
    found: dict[str, list[PlanSide]] = {}
    for part in parts.values():
        if not part.moved or part.named or not part.framed or part.framed.by_hand or not part.frame:
            continue
        if _stands(part, protocol, face) != "off":
            continue
        before, part.align = part.align, Spec("template", (("frame", part.frame),))
        text = (
            f"aligned by template:frame={part.frame}, the frame of the faces of {part.framed.mover}, not by the "
            f"protocol's own {before}"
        )
        found.setdefault(text, []).append(part.name)
    return [f"{_both(names)} {'is' if len(names) == 1 else 'are'} {text}." for text, names in found.items()]


def _stands(part: _Part, protocol: EvalProtocol, face: FaceTemplate) -> str:
    """Where a side's faces stand in the chip.

    Returns:
        ``template``; ``off`` it; ``as it is`` where the data set's crop is taken whole; ``assumed`` where the aligner
        assumes a frame that the images may or may not have.
    """
    name, frame = part.align.name, part.frame
    if name == "none":
        if frame == "":
            return "as it is"
        return "template" if fits(frame, face) else "off" if part.moved else "as it is"
    if name == "template":
        if frame == "":
            return "assumed"
        return "template" if frame == part.template else "off" if part.moved else "assumed"
    if name == "landmarks":
        of_truth = frame is not None and frame == protocol.wanted_frame  # whose landmarks these are
        return "template" if not part.moved or of_truth else "off"
    return "off" if part.moved and frame is not None else "template"


def _side_notes(config: RunConfig, protocol: EvalProtocol, side: Side, steps: tuple[Step, ...]) -> list[str]:
    if config.hallucinate != "auto" or not protocol.recognises or protocol.wanted_frame is not None:
        return []
    if all(step.idle for step in steps):
        return []
    if side == "both":
        return [f"Both sides are hallucinated: the gallery of {protocol.dataset} holds LR faces like its probes."]
    return [f"Only the {side} side is hallucinated: the gallery of {protocol.dataset} is of another kind."]


def _frame_notes(parts: Mapping[PlanSide, _Part], protocol: EvalProtocol, recogniser: str) -> list[str]:
    found: dict[str, list[PlanSide]] = {}
    for part in parts.values():
        for step, frame, behind in part.framed.picked if part.framed else ():
            why = f"{behind} comes after it, which was trained on such faces"
            why = why if behind else _why(part, protocol, recogniser, frame)
            found.setdefault(f"frame={frame} was picked for {step}: {why}", []).append(part.name)
    return [f"{text} ({_both(names)})." for text, names in found.items()]


def _why(part: _Part, protocol: EvalProtocol, recogniser: str, frame: str) -> str:
    if protocol.wanted_frame is not None:
        stand = f"stand in {protocol.wanted_frame}" if protocol.wanted_frame else "stand as the LR faces do"
        return f"true faces {stand}"
    if not protocol.recognises:
        return "the frame that networks are trained in"
    if part.template:
        return f"the aligner is {part.align}"
    if part.align.name == "landmarks":
        return "landmarks are of the image before it"
    if part.align.name != "none":
        return f"the aligner {part.align} looks for the face in the image"
    if frame == LR:
        return "the other side is taken as the data set has it, without alignment"
    return f"without alignment, this is where {recogniser} looks"


def _warnings(
    parts: Mapping[PlanSide, _Part], protocol: EvalProtocol, face: FaceTemplate, config: RunConfig
) -> list[str]:
    found = [text for part in parts.values() if part.framed for text in part.framed.misfits]
    found += _truth_warnings(parts["probe"], protocol)
    if not protocol.recognises:
        return found
    stands = {name: _stands(part, protocol, face) for name, part in parts.items()}
    off = [part for part in parts.values() if part.moved and stands[part.name] == "off"]
    if off:
        return [*found, *(_off_warning(part, parts, stands, config) for part in off)]
    for part in parts.values():
        other = _other(part, parts)
        there = stands[other.name]
        if stands[part.name] == "template" and (there == "as it is" or (there == "assumed" and part.moved)):
            found.append(_unlike_warning(part, other))
    return found


def _truth_warnings(probe: _Part, protocol: EvalProtocol) -> list[str]:
    """Faces that stand in another frame than the true faces they are compared with."""
    framed, wanted = probe.framed, protocol.wanted_frame
    if wanted is None or not framed or not framed.mover or framed.frame == wanted:
        return []
    stands = f"in the frame {wanted}" if wanted else "as the LR faces do"
    gives = f"gives them in the frame {framed.frame}" if framed.frame else "leaves them where they stood"
    if framed.frame is None:
        gives = "moves them elsewhere"
    add = "leave frame away" if framed.by_hand else f"give the protocol frame={framed.frame}, if it takes one"
    return [
        f"True faces stand {stands}, but {framed.mover} {gives}: figures compare different places. To mend it: {add}."
    ]


def _off_warning(
    part: _Part, parts: Mapping[PlanSide, _Part], stands: Mapping[PlanSide, str], config: RunConfig
) -> str:
    """A moved side that the aligner does not bring to the recogniser's template."""
    assert part.framed is not None  # it has been moved
    frame, other = part.framed.frame, _other(part, parts)
    reasons = {
        "none": "alignment none takes the whole image as the recogniser's chip, which has the face elsewhere",
        "landmarks": "alignment is by landmarks of the image before it",
        "template": f"the aligner {part.align} expects them elsewhere",
    }
    reason = reasons.get(part.align.name, f"the aligner {part.align} looks for faces that were not moved")
    aligner = f"template:frame={frame}" if frame else "mtcnn"
    alike = other.moved and other.framed is not None and other.framed.frame == frame or other.frame == frame != ""
    if part.name == "gallery" and not alike:
        flags = f"--align-gallery {aligner}"
    elif alike:
        flags = f"--align {aligner}" + (f" --align-gallery {aligner}" if config.align_gallery else "")
    else:
        keep = other.align if stands[other.name] in ("template", "assumed") else "mtcnn"
        flags = f"--align {aligner} --align-gallery {keep}"
        if other.steps is None and keep == "mtcnn":
            flags += f", or --align {aligner} --hallucinate both"
    away = "; or leave frame away" if part.framed.by_hand else ""
    where = f"in the frame {frame}" if frame else "in a frame of their own"
    faces = "faces" if alike and other.moved else f"{part.name} faces"
    return f"{part.framed.mover} gives {faces} {where}, but {reason}: add {flags}{away}."


def _unlike_warning(part: _Part, other: _Part) -> str:
    """Two sides of which one stands on the template and the other where the data set has it."""
    how = f"by the frame {part.framed.frame}" if part.framed and part.moved else f"by {part.align}"
    taken = "as the data set has them" if other.align.name == "none" else f"as if {other.align} fitted them"
    flags = [f"--align{'-gallery' if other.name == 'gallery' else ''} mtcnn"]
    if part.moved and other.steps is None:
        flags.append("--hallucinate both")
    if part.framed and part.framed.by_hand:
        flags.append("leave frame away")
    return (
        f"The sides stand in different frames: {part.name} faces are brought to the recogniser's template {how}, "
        f"{other.name} faces are taken {taken}. Add {', or '.join(flags)}."
    )


def _other(part: _Part, parts: Mapping[PlanSide, _Part]) -> _Part:
    return parts["gallery" if part.name == "probe" else "probe"]


def _both(names: list[PlanSide]) -> str:
    return " and ".join(names)
