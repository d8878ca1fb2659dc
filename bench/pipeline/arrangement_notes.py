"""What is said of an arrangement: notes on what was chosen, and warnings of what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.config import RunConfig
from bench.interfaces import EvalProtocol
from bench.pipeline.framing import LR, FramedChain, Step, fits
from bench.pipeline.plan import PlanSide
from bench.registry import Spec
from bench.types import FaceTemplate, Side


@dataclass
class SideState:
    """One side while its aligner and frame are chosen."""

    name: PlanSide
    align: Spec
    by_user: bool  # whether the user named its aligner
    crop_frame: str  # of the data set's images
    steps: tuple[Step, ...] | None
    framed: FramedChain | None = None

    @property
    def can_move(self) -> bool:
        """Whether the hallucinator moves its faces, or can."""
        return any(step.moves for step in self.steps or ())

    @property
    def frame(self) -> str | None:
        """The frame of its faces before alignment; empty where it has no name, None where it is unknown."""
        moved = self.framed.frame if self.framed else ""
        return self.crop_frame if moved == "" else moved

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


def position_in_chip(part: SideState, protocol: EvalProtocol, face: FaceTemplate) -> str:
    """Where the faces of a side are in the chip.

    Returns:
        ``template``; ``off`` where they are elsewhere; ``as it is`` where the data set's whole crop is the chip;
        ``assumed`` where the aligner assumes a frame that the images may not have.
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


def side_notes(config: RunConfig, protocol: EvalProtocol, side: Side, steps: tuple[Step, ...]) -> list[str]:
    """Why a side is hallucinated, where the user named none."""
    if config.hallucinate != "auto" or not protocol.recognises or protocol.wanted_frame is not None:
        return []
    if all(step.passthrough for step in steps):
        return []
    if side == "both":
        return [f"Both sides are hallucinated: the gallery of {protocol.dataset} holds LR faces like its probes."]
    return [f"Only the {side} side is hallucinated: the gallery of {protocol.dataset} is of another kind."]


def frame_notes(parts: Mapping[PlanSide, SideState], protocol: EvalProtocol, recogniser: str) -> list[str]:
    """The frames that were chosen, and why."""
    sides: dict[str, list[PlanSide]] = {}
    for part in parts.values():
        for step, frame, later_step in part.framed.choices if part.framed else ():
            why = f"{later_step} comes after it, which was trained on such faces"
            why = why if later_step else _why(part, protocol, recogniser, frame)
            sides.setdefault(f"frame={frame} was picked for {step}: {why}", []).append(part.name)
    return [f"{text} ({join_sides(names)})." for text, names in sides.items()]


def _why(part: SideState, protocol: EvalProtocol, recogniser: str, frame: str) -> str:
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


def warnings_of(
    parts: Mapping[PlanSide, SideState], protocol: EvalProtocol, face: FaceTemplate, config: RunConfig
) -> list[str]:
    """What does not fit, with the flag that corrects it."""
    warnings = [text for part in parts.values() if part.framed for text in part.framed.conflicts]
    warnings += _truth_warnings(parts["probe"], protocol)
    if not protocol.recognises:
        return warnings
    positions = {name: position_in_chip(part, protocol, face) for name, part in parts.items()}
    off = [part for part in parts.values() if part.moved and positions[part.name] == "off"]
    if off:
        return [*warnings, *(_off_warning(part, parts, positions, config) for part in off)]
    for part in parts.values():
        other = other_side(part, parts)
        at_other = positions[other.name]
        if positions[part.name] == "template" and (at_other == "as it is" or (at_other == "assumed" and part.moved)):
            warnings.append(_unlike_warning(part, other))
    return warnings


def _truth_warnings(probe: SideState, protocol: EvalProtocol) -> list[str]:
    """Faces in another frame than the true faces that they are compared with."""
    framed, wanted = probe.framed, protocol.wanted_frame
    if wanted is None or not framed or not framed.moving_step or framed.frame == wanted:
        return []
    stands = f"in the frame {wanted}" if wanted else "as the LR faces do"
    gives = f"gives them in the frame {framed.frame}" if framed.frame else "leaves them where they stood"
    if framed.frame is None:
        gives = "moves them elsewhere"
    add = "leave frame away" if framed.by_user else f"give the protocol frame={framed.frame}, if it takes one"
    return [
        f"True faces stand {stands}, but {framed.moving_step} {gives}: figures compare different places. To mend it: "
        f"{add}."
    ]


def _off_warning(
    part: SideState, parts: Mapping[PlanSide, SideState], positions: Mapping[PlanSide, str], config: RunConfig
) -> str:
    """A side whose faces were moved and are not aligned to the recogniser's template."""
    assert part.framed is not None  # it has been moved
    frame, other = part.framed.frame, other_side(part, parts)
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
        keep = other.align if positions[other.name] in ("template", "assumed") else "mtcnn"
        flags = f"--align {aligner} --align-gallery {keep}"
        if other.steps is None and keep == "mtcnn":
            flags += f", or --align {aligner} --hallucinate both"
    away = "; or leave frame away" if part.framed.by_user else ""
    where = f"in the frame {frame}" if frame else "in a frame of their own"
    faces = "faces" if alike and other.moved else f"{part.name} faces"
    return f"{part.framed.moving_step} gives {faces} {where}, but {reason}: add {flags}{away}."


def _unlike_warning(part: SideState, other: SideState) -> str:
    """Two sides of which one is at the template and the other where the data set has it."""
    how = f"by the frame {part.framed.frame}" if part.framed and part.moved else f"by {part.align}"
    taken = "as the data set has them" if other.align.name == "none" else f"as if {other.align} fitted them"
    flags = [f"--align{'-gallery' if other.name == 'gallery' else ''} mtcnn"]
    if part.moved and other.steps is None:
        flags.append("--hallucinate both")
    if part.framed and part.framed.by_user:
        flags.append("leave frame away")
    return (
        f"The sides stand in different frames: {part.name} faces are brought to the recogniser's template {how}, "
        f"{other.name} faces are taken {taken}. Add {', or '.join(flags)}."
    )


def other_side(part: SideState, parts: Mapping[PlanSide, SideState]) -> SideState:
    """The gallery of the probes, or the reverse."""
    return parts["gallery" if part.name == "probe" else "probe"]


def join_sides(names: list[PlanSide]) -> str:
    """Names of sides as a list in words."""
    return " and ".join(names)
