"""The diagnosis of a run that has just been measured: sentences that stand among its warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bench import evaluation, progress
from bench.diagnosis import causes
from bench.diagnosis.below import BELOW, likely, shortfall
from bench.diagnosis.chance import expressions_at_chance, pairs_at_chance, search_at_chance
from bench.diagnosis.headline import Headline, bicubic_answers, headline
from bench.diagnosis.outputs import odd_outputs
from bench.diagnosis.placing import Placing, misplaced, place
from bench.errors import DataError
from bench.evaluation.contract import Measured, Prepared
from bench.images import resize
from bench.metrics.quality import psnr_rgb_db
from bench.pipeline.embedder import embedder_for, open_media
from bench.pipeline.plan import EmbedPlan
from bench.pipeline.views import views
from bench.results import RoleLedger
from bench.results.kinds import EXPRESSION, IDENTIFICATION, VERIFICATION
from bench.results.ledger import role_ledger
from bench.studies import RestorationSet
from bench.types import Media

MOST_IMAGES = 10_000
"""A run that hallucinates more images is not compared with the LR face here: that would cost too much."""
_SEEN, _PLACED = 64, 16  # images whose outputs, and whose chips, are looked at
_RECOGNISED = (IDENTIFICATION, VERIFICATION)
_CHUNK = 256
_SIDES: tuple[Literal["probe", "gallery"], ...] = ("probe", "gallery")


def diagnose(run: Prepared, lr: Prepared, measured: Measured, known: Sequence[str]) -> tuple[str, ...]:
    """Say that a run is at chance or below the LR face, and why that may be.

    Args:
        run: what was measured.
        lr: the same run with the LR face in place of the chain.
        measured: what came out.
        known: the warnings of the run so far.

    Returns:
        No sentence, one or two. The LR face is measured beside the run where at most `MOST_IMAGES` images are
        hallucinated; its embeddings stay in the cache, where a run of the LR face finds them.
    """
    kind = evaluation.kind_of(run.data)
    base = _lr_headline(run, lr, measured, kind)
    chance = _at_chance(run, measured, kind)
    short = shortfall(headline(kind, measured.rows, measured.items, measured.arrays), base, seed=run.config.seed)
    if chance is None and short is None:
        return ()
    reasons = _causes(run, measured, kind, known)
    found = [f"{chance} {likely(reasons)}"] if chance else []
    if short:
        found.append(short.finding if chance else short.sentence(reasons))
    return tuple(found)


def _at_chance(run: Prepared, measured: Measured, kind: str) -> str | None:
    if kind == IDENTIFICATION:
        return search_at_chance(measured.rows, measured.gallery_sizes, seed=run.config.seed)
    if kind == VERIFICATION:
        return pairs_at_chance(measured.arrays, seed=run.config.seed)
    return expressions_at_chance(measured.items, measured.metrics) if kind == EXPRESSION else None


def _lr_headline(run: Prepared, lr: Prepared, measured: Measured, kind: str) -> Headline | None:
    """The headline figure of the LR face on the same rows; None where there is none, or it would cost too much."""
    if kind == EXPRESSION:
        return bicubic_answers(measured.items)
    sides = [side for side in _SIDES if _active(run.plan(side))]
    roles = [role for role in run.media if ("probe" if role == "probe" else "gallery") in sides]
    if not sides or sum(len(run.media[role]) for role in roles) > MOST_IMAGES:
        return None
    try:
        if isinstance(run.data, RestorationSet):
            return _resized(run, lr, run.data)
        if kind in _RECOGNISED and run.cache is not None:
            return _lr_measured(lr, kind)
    except Exception:  # noqa: BLE001  # what the LR face meets must not lose a finished run; its own run will say
        return None
    return None


def _lr_measured(lr: Prepared, kind: str) -> Headline | None:
    with progress.prefixed("LR face, for comparison: "):
        plain = evaluation.measure(lr)
    return headline(kind, plain.rows, plain.items, plain.arrays)


def _active(plan: EmbedPlan) -> bool:
    """Whether a side goes through a chain that changes images."""
    chain = embedder_for(plan).chain
    return chain is not None and not chain.passthrough


def _resized(run: Prepared, lr: Prepared, data: RestorationSet) -> Headline:
    """PSNR of LR faces enlarged (bicubic) to their truths."""
    found: dict[str, tuple[str, float]] = {}
    for start in range(0, len(data.faces), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        seen = views(lr.probe_plan, data.faces[chunk], run.cache)
        for face, truth, (image, _) in zip(data.faces[chunk], data.truths[chunk], seen, strict=True):
            if image is None:
                continue
            try:
                true = open_media(truth)
                value = psnr_rgb_db(true, resize(image, *true.shape[:2]))
            except DataError:
                continue  # the run itself counts it
            if value < float("inf"):
                found[face.template] = (face.identity or face.template, value)
    return Headline("psnr_db", "dB", "faces", found)


def _causes(run: Prepared, measured: Measured, kind: str, known: Sequence[str]) -> list[str]:
    """What the images, the chips, the outcomes and the configuration show, the surest first."""
    active: list[Literal["probe", "gallery"]] = [side for side in _SIDES if _active(run.plan(side))]
    frames = [f"frame: {warning}" for warning in known if causes.is_on_frames(warning)]
    looked: list[str] = []
    for side in active:
        pairs = views(run.plan(side), run.media[side][:_SEEN], run.cache)
        shown = [(lr, out) for lr, out in pairs if lr is not None and out is not None]
        looked += odd_outputs(shown, moved=_moves(run.plan(side)))
    placed: list[str] = []
    files: list[str] = []
    if kind in _RECOGNISED:
        moved = bool(active) and _moves(run.probe_plan)
        placed = [] if frames else misplaced(_placing(run, "probe"), _placing(run, "gallery"), moved=moved)
        built = embedder_for(run.probe_plan).recogniser
        files = causes.recogniser(built.arguments, built.spec.name)
    sides = causes.side(active[0], searched=kind in _RECOGNISED) if len(active) == 1 else []
    ledgers: dict[str, RoleLedger] = {role: role_ledger(part.outcomes) for role, (_, part) in measured.embedded.items()}
    return causes.joined(frames, placed, looked, causes.accounts(ledgers), sides, files)


def _moves(plan: EmbedPlan) -> bool:
    chain = embedder_for(plan).chain
    return chain is not None and any(step.component.output_frame != "" for step in chain.steps)


def _placing(run: Prepared, side: Literal["probe", "gallery"]) -> Placing:
    """Where faces stand in the chips of a side's first images."""
    embedder = embedder_for(run.plan(side))
    media: Sequence[Media] = run.media[side][:_PLACED]
    face = embedder.recogniser.component.face
    pairs = views(run.plan(side), media, run.cache)
    shown = [
        (item, lr, out) for item, (lr, out) in zip(media, pairs, strict=True) if lr is not None and out is not None
    ]
    if not shown:
        return Placing(0, 0, ())
    points = [embedder.points_after(item, lr, out) for item, lr, out in shown]
    chips, _ = embedder.aligner.component.align([out for _, _, out in shown], points, face)
    return place(list(chips), [face.points] * len(chips))


__all__ = ["BELOW", "diagnose"]
