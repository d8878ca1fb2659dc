"""A canary of frames: every hallucinator that moves faces puts them where the next stage looks, under every protocol.

Drawn people whose five points are known are shrunk to LR faces, hallucinated and aligned as `bench run` would do it by
default. In the chip, each of the five points must lie within `NEAR` pixels of where it is expected: the recogniser's
template; where the LR face has it, if a side is taken as the data set has it; the frame of the true faces, in
`restoration`. A check fails where the similarity that fits the five offsets moves any point farther, or where their
mean is farther off. Where the frame is right and single points are off, the network draws faces of the wrong shape:
the check then warns and names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

import numpy as np

from bench import progress
from bench.align.template import FRAMES, AnyFrame
from bench.checks.conformance import Check
from bench.config import RunConfig
from bench.diagnosis.placing import NEAR, Placing, measure_offsets
from bench.errors import BenchError, MissingError
from bench.interfaces import ALIGNERS, HALLUCINATORS, PROTOCOLS, RECOGNISERS, ByteImages, EvalProtocol
from bench.media.low_resolution import to_low_resolution
from bench.media.similarity import fit_similarity, resized_points, warp
from bench.pipeline.arrangement import Arrangement, arrange
from bench.pipeline.build import build
from bench.pipeline.chain import Chain
from bench.pipeline.framing import fits, read_steps
from bench.pipeline.plan import SIDES, EmbedPlan, PlanSide
from bench.registry import Entry, Spec
from bench.types import FaceTemplate, Points

PEOPLE = 8
HR_SIDE, LR_SIDE = 128, 16
_TURNS = (0.0, -10.0, 10.0, 5.0)  # degrees of yaw
_CHIP = 112  # pixels: the size at which faces in the frame of the truth are judged


@dataclass(frozen=True, slots=True)
class _Case:
    """Faces of one crop that pass one chain and one aligner.

    Attributes:
        chain: with every frame written out.
        align: the aligner; empty where faces are judged before it.
        crop: frame of the data set's images; empty for one of no name.
        expects: ``template``, ``lr`` (where the LR face has them) or the name of a frame.
    """

    chain: str
    align: Spec
    crop: str
    expects: str


@dataclass
class _Result:
    """Result of a case, and the protocols and sides that it covers."""

    placing: Placing | None
    error: str = ""
    sides: list[str] = field(default_factory=list)


def examine_frames(recogniser: str = "sface") -> list[Check]:
    """Check every hallucinator that moves faces and can run here, under the defaults of every protocol.

    Args:
        recogniser: ``name:key=value`` of the recogniser whose template counts.

    Returns:
        One check a hallucinator, ``places-NAME``. One in whose outputs no face can be found in at least half of the
        people cannot be judged; its check passes and says so. One whose frame is right, but whose faces have single
        points farther off, passes with a warning.
    """
    face = build(RECOGNISERS, Spec.parse(recogniser)).component.face
    protocols = list(_protocols())
    movers = [entry.name for entry in HALLUCINATORS if _moves(entry)]
    checks = []
    with progress.stage("check positions of faces", len(movers)) as advance:
        for name in movers:
            checks.append(_check(name, recogniser, face, protocols))
            advance(1)
    return checks


def _check(name: str, recogniser: str, face: FaceTemplate, protocols: Sequence[tuple[str, EvalProtocol]]) -> Check:
    cases: dict[_Case, _Result] = {}
    for protocol_name, protocol in protocols:
        config = RunConfig(protocol=protocol_name, hallucinator=name, recogniser=recogniser)
        try:
            arrangement = arrange(config, protocol)
        except BenchError as error:
            return Check(f"places-{name}", False, f"{protocol_name}: {str(error).splitlines()[0]}")
        for side in SIDES:
            case = _case(arrangement, side, protocol, face)
            if case is not None:
                if case not in cases:
                    cases[case] = _look(case, face)
                cases[case].sides.append(f"{protocol_name} {side}")
    return _verdict(name, cases)


def _verdict(name: str, cases: dict[_Case, _Result]) -> Check:
    broken = [f"{_of(seen)}: {seen.error}" for seen in cases.values() if seen.error]
    off, hidden, worst = [], [], 0.0
    for case, seen in cases.items():
        placing = seen.placing
        if placing is None:
            continue
        if 2 * placing.faces < placing.images:
            hidden.append(
                f"{_of(seen)}: a face is found in {placing.faces} of {placing.images} outputs of {case.chain}"
            )
        elif max(placing.mean, placing.worst_of_frame) > NEAR:
            off.append(
                f"{_of(seen)}: {case.chain} under {case.align} puts faces {placing.mean:.1f} pixels off {_aim(case)} "
                f"(the farthest point {placing.worst:.1f})"
            )
        else:
            worst = max(worst, placing.worst)
    if broken or off:
        return Check(f"places-{name}", False, "; ".join([*off, *broken]))
    judged = f"five points within {worst:.1f} pixels of where they are expected" if len(hidden) < len(cases) else ""
    if worst > NEAR:
        judged += f": the frame is right, but single points of its faces are more than {NEAR:g} pixels off"
    cannot = f"cannot be judged: {'; '.join(hidden)}" if hidden else ""
    detail = "; ".join(filter(None, (judged, cannot))) or "no protocol uses it"
    return Check(f"places-{name}", True, detail, warns=worst > NEAR)


def _aim(case: _Case) -> str:
    return {"template": "the recogniser's template", "lr": "the LR face's"}.get(
        case.expects, f"the frame {case.expects}"
    )


def _of(seen: _Result) -> str:
    more = f" and {len(seen.sides) - 1} more" if len(seen.sides) > 1 else ""
    return f"{seen.sides[0]}{more}"


def _case(arrangement: Arrangement, side: PlanSide, protocol: EvalProtocol, face: FaceTemplate) -> _Case | None:
    """What becomes of the faces of one side; None where they are not hallucinated, or not recognised."""
    plan: EmbedPlan = arrangement.probe if side == "probe" else arrangement.gallery
    if plan.chain is None:
        return None
    crop = protocol.probe_frame if side == "probe" else protocol.gallery_frame
    if protocol.wanted_frame is not None:
        return _Case(plan.chain, Spec("none"), crop, protocol.wanted_frame or "lr")
    if not protocol.recognises:
        return None
    stays = arrangement.frames.get(side, "") == ""
    as_it_is = plan.align.name == "none" and stays and not fits(crop, face)
    return _Case(plan.chain, plan.align, crop, "lr" if as_it_is else "template")


def _look(case: _Case, face: FaceTemplate) -> _Result:
    images, points = _faces(case.crop)
    target = face
    if case.expects not in ("template", "lr"):
        frame = FRAMES[cast("AnyFrame", case.expects)]
        target = FaceTemplate(_CHIP, _CHIP, tuple((x * _CHIP - 0.5, y * _CHIP - 0.5) for x, y in frame))
    try:
        outputs, outcomes = Chain.parse(case.chain).hallucinate(images)
        alive = [at for at, image in enumerate(outputs) if image is not None]
        if not alive:
            return _Result(None, f"every face failed ({outcomes[0].reason})")
        shown: list[ByteImages] = [image for image in outputs if image is not None]
        landmarks = [
            resized_points(points[at], images[at].shape, image.shape) for at, image in zip(alive, shown, strict=True)
        ]
        chips, _ = build(ALIGNERS, case.align).component.align(shown, landmarks, target)
    except Exception as error:  # noqa: BLE001  # a plugin may raise anything; the others must be judged
        return _Result(None, f"raised {type(error).__name__}: {error}")
    aims = [target.points] * len(alive)
    if case.expects == "lr":
        aims = [resized_points(points[at], images[at].shape, chip.shape) for at, chip in zip(alive, chips, strict=True)]
    return _Result(measure_offsets(list(chips), aims))


@lru_cache(maxsize=8)
def _faces(crop: str) -> tuple[list[ByteImages], list[Points]]:
    """LR faces, and their five points in their pixels: drawn as samples frame them, or brought to a frame."""
    images, points = [], []
    for hr, five in _drawn():
        image, image_points = hr, five
        if crop in FRAMES:
            frame = FRAMES[crop]
            wanted = tuple((x * HR_SIDE - 0.5, y * HR_SIDE - 0.5) for x, y in frame)
            matrix = fit_similarity(five, wanted)
            image = warp(hr, matrix, FaceTemplate(HR_SIDE, HR_SIDE, wanted))
            image_points = tuple((float(x), float(y)) for x, y in np.asarray([(*p, 1.0) for p in five]) @ matrix.T)
        lr = to_low_resolution(image, LR_SIDE)
        images.append(lr)
        points.append(resized_points(image_points, image.shape, lr.shape))
    return images, points


@lru_cache(maxsize=1)
def _drawn() -> list[tuple[ByteImages, Points]]:
    """Drawn people of `HR_SIDE`, with their five points."""
    from bench.faces.people.look import Look
    from bench.faces.people.model import People

    people = People()
    looks = [Look(identity=i, yaw_deg=_TURNS[i % len(_TURNS)], size=HR_SIDE) for i in range(PEOPLE)]
    return [
        (image, tuple((float(x), float(y)) for x, y in people.points(look)))
        for look, image in zip(looks, people(looks), strict=True)
    ]


def _protocols() -> Iterator[tuple[str, EvalProtocol]]:
    for entry in PROTOCOLS:
        if entry.missing() is None and not any(argument.required for argument in entry.arguments()):
            try:
                yield entry.name, build(PROTOCOLS, Spec(entry.name)).component
            except MissingError:
                continue


def _moves(entry: Entry[Any]) -> bool:
    """Whether a hallucinator can run here as it is and moves faces, or may."""
    if entry.missing() is not None or any(argument.required for argument in entry.arguments()):
        return False
    try:
        return any(step.moves for step in read_steps(entry.name))
    except BenchError:
        return False
