"""The diagnosis of a run that has just been measured: sentences that stand among its warnings."""

from __future__ import annotations

from collections.abc import Sequence

from bench import evaluation, progress
from bench.diagnosis import causes
from bench.diagnosis.below import BELOW, likely, shortfall
from bench.diagnosis.chance import expressions_at_chance, pairs_at_chance, search_at_chance
from bench.diagnosis.headline import Headline, bicubic_answers, headline
from bench.diagnosis.outputs import output_faults
from bench.diagnosis.placing import Placing, measure_offsets, misplaced
from bench.errors import DataError
from bench.evaluation.contract import Measured, Prepared, RunImages, changes_images, view_first
from bench.images import resize
from bench.metrics.quality import psnr_rgb_db
from bench.pipeline.cache import open_cache
from bench.pipeline.embedder import embedder_for
from bench.pipeline.items import resized_landmarks
from bench.pipeline.plan import SIDES, EmbedPlan, PlanSide
from bench.pipeline.reader import open_media
from bench.results import RoleLedger
from bench.results.kinds import EXPRESSION, IDENTIFICATION, VERIFICATION
from bench.results.ledger import role_ledger
from bench.studies import RestorationSet

MOST_IMAGES = 10_000
"""A run that hallucinates more images is not compared with the LR face: it would take too long."""
_OUTPUTS, _CHIPS = 64, 16  # images of a side that are examined
_RECOGNISED = (IDENTIFICATION, VERIFICATION)


def diagnose(run: Prepared, lr: Prepared, measured: Measured, known: Sequence[str]) -> tuple[str, ...]:
    """Report that a run is at chance or below the LR face, and likely causes.

    Args:
        run: the run.
        lr: the same run with the LR face in place of the chain.
        measured: its measurements.
        known: its warnings so far.

    Returns:
        No sentence, one or two. The LR face is measured beside the run where at most `MOST_IMAGES` images are
        hallucinated; its embeddings stay in the cache, where a run of the LR face finds them.
    """
    kind = evaluation.kind_of(run.data)
    lr_figure = _lr_headline(run, lr, measured, kind)
    chance = _at_chance(run, measured, kind)
    short = shortfall(headline(kind, measured.rows, measured.items, measured.arrays), lr_figure, seed=run.config.seed)
    if chance is None and short is None:
        return ()
    reasons = _causes(run, measured, kind, known)
    sentences = [f"{chance} {likely(reasons)}"] if chance else []
    if short:
        sentences.append(short.finding if chance else short.sentence(reasons))
    return tuple(sentences)


def _at_chance(run: Prepared, measured: Measured, kind: str) -> str | None:
    if kind == IDENTIFICATION:
        return search_at_chance(measured.rows, measured.gallery_sizes, seed=run.config.seed)
    if kind == VERIFICATION:
        return pairs_at_chance(measured.arrays, seed=run.config.seed)
    return expressions_at_chance(measured.items, measured.metrics) if kind == EXPRESSION else None


def _lr_headline(run: Prepared, lr: Prepared, measured: Measured, kind: str) -> Headline | None:
    """The headline figure of the LR face on the same rows; None where there is none, or it would take too long."""
    if kind == EXPRESSION:
        return bicubic_answers(measured.items)
    sides = [side for side in SIDES if changes_images(run.plan(side))]
    roles = [role for role in run.media if ("probe" if role == "probe" else "gallery") in sides]
    if not sides or sum(len(run.media[role]) for role in roles) > MOST_IMAGES:
        return None
    try:
        if isinstance(run.data, RestorationSet):
            return _resized(run, lr, run.data)
        if kind in _RECOGNISED and run.cache is not None:
            return _lr_measured(lr, kind)
    except Exception:  # noqa: BLE001  # an error of the LR face must not lose a finished run; a run of the LR face reports it
        return None
    return None


def _lr_measured(lr: Prepared, kind: str) -> Headline | None:
    with progress.stage_prefix("LR face, for comparison: "):
        plain = evaluation.measure(lr)
    return headline(kind, plain.rows, plain.items, plain.arrays)


def _resized(run: Prepared, lr: Prepared, data: RestorationSet) -> Headline:
    """PSNR of LR faces enlarged (bicubic) to their truths."""
    values: dict[str, tuple[str, float]] = {}
    with open_cache(run.cache) as cache:
        views = embedder_for(lr.probe_plan).views(data.faces, cache)
        for face, truth, (view, _) in zip(data.faces, data.truths, views, strict=True):
            if view.lr is None:
                continue
            try:
                true = open_media(truth)
                value = psnr_rgb_db(true, resize(view.lr, *true.shape[:2]))
            except DataError:
                continue  # the run itself counts it
            if value < float("inf"):
                values[face.template] = (face.identity or face.template, value)
    return Headline("psnr_db", "dB", "faces", values)


def _causes(run: Prepared, measured: Measured, kind: str, known: Sequence[str]) -> list[str]:
    """Causes seen in images, chips, outcomes and the configuration, the surest first."""
    active: list[PlanSide] = [side for side in SIDES if changes_images(run.plan(side))]
    frames = [f"frame: {warning}" for warning in known if causes.is_on_frames(warning)]
    outputs: list[str] = []
    for side in active:
        views = view_first(run, side, _OUTPUTS, measured.images)
        shown = [(view.lr, view.out) for view in views if view.lr is not None and view.out is not None]
        outputs += output_faults(shown, moved=_moves(run.plan(side)))
    placed: list[str] = []
    files: list[str] = []
    if kind in _RECOGNISED:
        moved = bool(active) and _moves(run.probe_plan)
        placed = [] if frames else misplaced(*(_placing(run, side, measured.images) for side in SIDES), moved=moved)
        built = embedder_for(run.probe_plan).recogniser
        files = causes.recogniser_input(built.arguments, built.spec.name)
    sides = causes.hallucinated_side(active[0], searched=kind in _RECOGNISED) if len(active) == 1 else []
    ledgers: dict[str, RoleLedger] = {role: role_ledger(part.outcomes) for role, (_, part) in measured.embedded.items()}
    return causes.joined(frames, placed, outputs, causes.failures(ledgers), sides, files)


def _moves(plan: EmbedPlan) -> bool:
    chain = embedder_for(plan).chain
    return chain is not None and any(step.component.output_frame != "" for step in chain.steps)


def _placing(run: Prepared, side: PlanSide, images: RunImages) -> Placing:
    """Offsets of faces in the chips of a side's first images."""
    embedder = embedder_for(run.plan(side))
    face = embedder.recogniser.component.face
    views = view_first(run, side, _CHIPS, images)
    shown = [
        (view.out, resized_landmarks(media.landmarks, view.lr.shape, view.out.shape))
        for media, view in zip(run.media[side], views, strict=False)
        if view.lr is not None and view.out is not None
    ]
    if not shown:
        return Placing(0, 0, ())
    chips, _ = embedder.aligner.component.align([out for out, _ in shown], [points for _, points in shown], face)
    return measure_offsets(list(chips), [face.points] * len(chips))


__all__ = ["BELOW", "diagnose"]
