"""The stages of training ``vividgan`` and ``vividgan-flow``, and the export of their weight files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from bench.errors import UsageError
from bench.io.file_digests import file_digest
from bench.media.degradation import PLAIN, Degradation
from hallucinators.networks.discriminator import Discriminator
from hallucinators.training.data.augmentation import Augmentation
from hallucinators.training.data.photographs import PhotographSource, people_of
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.placement import GeometryStage, frontal_placement
from hallucinators.training.steps.task import BatchSource, Task
from hallucinators.vividgan import departures
from hallucinators.vividgan.network.coarse import CoarseNet
from hallucinators.vividgan.network.loading import build as build_model
from hallucinators.vividgan.network.loading import load_weights, save_weights
from hallucinators.vividgan.network.model import PRESETS, VividGAN
from hallucinators.vividgan.network.weight_file import Facts, Network, Preset
from hallucinators.vividgan.training.flow import FlowTask
from hallucinators.vividgan.training.losses import LOSS_SETS, Weights
from hallucinators.vividgan.training.objective import Objective
from hallucinators.vividgan.training.photographs import PhotographTask
from hallucinators.vividgan.training.settings import VividSettings, settings_of, used_by
from hallucinators.vividgan.training.stages import CoarseStage, TouchUpStage, WholeStage
from hallucinators.vividgan.training.teacher import load_teacher

_DEFAULT_STEPS = {"geometry": 12000, "coarse": 6500, "touchup": 1000, "whole": 3000}
_FLOW_STEPS = {"geometry": 0, "coarse": 9000, "photographs": 0, "touchup": 1000, "whole": 2000}
_PHOTOGRAPH_STEPS = 7500
_GEOMETRY_SHARE = 1 / 3
_STAGES_WITH_FLOW = ("geometry", "coarse", "photographs")
"""Stages whose batches have flow targets."""
_CRITIC_WIDTH = {"paper": 1.0, "compact": 0.25}
_WITHOUT_MODULE = "figure_6f"
_FLOW_WHOLE = LOSS_SETS["dagger"]
"""Losses of the flow network's last stage. Compared with its coarse face, pixels alone lose 18 points of rank-1, with
identity none are lost; adversaries lower PSNR (by 0.1 to 0.5 dB) and rank-1."""


def stages(options: Options) -> list[Stage]:
    """Geometry, coarse, touchup, whole; the flow network's coarse stage includes the geometry.

    Raises:
        UsageError: an unknown preset, size or set of losses.
        MissingError: the teacher's weights do not exist.
    """
    facts = facts_of(options)
    settings = settings_of(options)
    objective = _objective(options, settings)
    flow = options.method == "vividgan-flow"
    steps = _steps(options)
    _check_photographs(options, steps)
    sides = (32, 16) if flow else (options.lr,)

    if flow or not settings.alignment:
        steps["geometry"] = 0

    def geometry(folder: Path) -> Task:
        net, length = _model(facts, options.seed).coarse, steps["geometry"]
        return GeometryStage("vividgan-geometry", net, frontal_placement, lambda b: b.hr, steps=length, key="coarse")

    def coarse(folder: Path) -> Task:
        model = _model(facts, options.seed, options.start)
        if steps["geometry"]:
            model.coarse.load_state_dict(checkpoint.best_averages(folder / "geometry")["coarse"])
        if flow:
            geometry = round(steps["coarse"] * _GEOMETRY_SHARE)
            net = cast(Any, model.coarse)
            teacher = objective.teacher if "identity" in objective.terms else None
            return FlowTask(net, steps=steps["coarse"], geometry_steps=geometry, teacher=teacher)
        return CoarseStage(model.coarse, _critic(options), objective, steps=steps["coarse"])

    people = None
    if steps.get("photographs") and options.templates:
        people = people_of(options.photographs, options.identity)

    def photographs(folder: Path) -> Task:
        model = _model(facts, options.seed, options.start)
        if steps["coarse"]:
            model = _load(model, folder, ("coarse",), residual_scale=1.0)
        net, teacher = cast(Any, model.coarse), cast(Any, objective.teacher)
        return PhotographTask(net, people, steps=steps["photographs"], teacher=teacher)

    def mix(pairs: BatchSource, batch_size: int, seed: int, rank: int) -> BatchSource:
        return PhotographSource(
            pairs,
            options.photographs,
            people,
            batch_size=batch_size,
            seed=seed,
            rank=rank,
            degradation=Degradation() if options.degradation else PLAIN,
        )

    def touchup(folder: Path) -> Task:
        model = _load(
            _model(facts, options.seed),
            folder,
            (coarse_stage(steps),),
            residual_scale=_residual_scale(options, settings),
        )
        return TouchUpStage(
            model.to(options.device), steps=steps["touchup"], settings=settings
        )  # the loop moves only trained modules

    def whole(folder: Path) -> Task:
        last = coarse_stage(steps)
        earlier = (last, "touchup") if options.touchup and not options.true_components else (last,)
        model = _load(_model(facts, options.seed), folder, earlier, residual_scale=_residual_scale(options, settings))
        return WholeStage(
            model,
            _critic(options),
            _critic(options),
            replace(objective, terms=_FLOW_WHOLE & frozenset(objective.terms)) if flow else objective,
            steps=steps["whole"],
            freeze_coarse=flow or settings.freeze_coarse,  # flow losses are used in the first stage only
            true_components=options.true_components,
        )

    build = {
        "geometry": geometry,
        "coarse": coarse,
        "photographs": photographs,
        "touchup": touchup,
        "whole": whole,
    }
    if not options.touchup or options.true_components:
        steps["touchup"] = 0
    with_flow = _STAGES_WITH_FLOW if flow or settings.alignment else ()
    augmentation = _augmentation(settings)
    return [
        Stage(
            n,
            build[n],
            steps[n],
            sides,
            n in with_flow,
            augmentation=augmentation,
            mix=mix if n == "photographs" else None,
        )
        for n in steps
        if steps[n]
    ]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Args:
        options: the options of the training.
        folder: its folder.
        out: the weight file.
        trained: facts about the training, for the header.

    Raises:
        DataError: no stage is finished.
    """
    facts, settings = facts_of(options), settings_of(options)
    model = _model(facts, options.seed)
    if options.steps.get("whole") != 0 and checkpoint.best_path(folder / "whole") is not None:
        model.load_state_dict(checkpoint.best_averages(folder / "whole")["model"])
        fine = True
    else:
        last = coarse_stage(_steps(options))
        model, fine = _load(model, folder, (last,), residual_scale=_residual_scale(options, settings)), False
    facts = replace(facts, fine=fine, trained={**trained, **_described(options, trained)})
    save_weights(out, model, facts)
    return facts


def facts_of(options: Options) -> Facts:
    """The header of the weight file that these options lead to."""
    options.refuse_unknown(PRESETS)
    flow = options.method == "vividgan-flow"
    return Facts(
        cast(Network, options.method),
        0 if flow else options.lr,
        cast(Preset, options.preset),
        touchup=options.touchup,
        component_aware=options.component_aware,
        carry=options.carry,
        depth=options.depth if flow else 0,
    )


def _steps(options: Options) -> dict[str, int]:
    """Steps of each stage; that of photographs has some by default where there are photographs."""
    if options.method != "vividgan-flow":
        return options.stage_steps(_DEFAULT_STEPS)
    more = {"photographs": _PHOTOGRAPH_STEPS} if options.photographs else {}
    return options.stage_steps(_FLOW_STEPS | more)


def coarse_stage(steps: Mapping[str, int]) -> str:
    """The stage whose coarse network later stages take."""
    return "photographs" if steps.get("photographs") else "coarse"


def _check_photographs(options: Options, steps: Mapping[str, int]) -> None:
    """Raise UsageError where options of the stage of photographs do not fit."""
    flow = options.method == "vividgan-flow"
    if not flow and (options.photographs or options.depth or options.start is not None):
        raise UsageError(f"{options.method} has no option --photographs, --depth or --start; vividgan-flow has them.")
    if steps.get("photographs") and not options.photographs:
        raise UsageError("The stage photographs needs packs: --photographs FILE, made by `bench data pairs`.")
    if steps.get("photographs") and options.identity != "dlib":
        raise UsageError("The stage photographs compares with embeddings of dlib; train with --identity dlib.")
    if flow and not steps["coarse"] and not steps["photographs"]:
        raise UsageError("Later stages need one of the stages coarse and photographs; give it steps.")
    if flow and not steps["coarse"] and options.start is None:
        raise UsageError("Without the stage coarse a training needs weights to start from: --start FILE.")


def _augmentation(settings: VividSettings) -> Augmentation:
    return Augmentation(
        mild_share=settings.mild_share,
        surround=settings.surround_share,
        mirror=settings.mirror_share,
        frontal=settings.frontal_share,
        free_views=settings.free_views,
    )


def _described(options: Options, trained: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of a training and its options whose values are not the paper's, for header and card."""
    if options.method != "vividgan":
        more: dict[str, Any] = {}
        if options.photographs:
            more["photographs"] = sum(len(pack.indices(test=False)) for pack in options.photographs)
            if options.templates:
                more["photographs_people"] = len(people_of(options.photographs, options.identity).templates)
            more |= {"degradation": options.degradation, "templates": options.templates}
        if options.start is not None:
            more["start_sha256"] = file_digest(options.start)
        return more
    used = used_by(options, str(trained.get("precision", "")))
    used["identity"] = Path(options.identity).name if options.identity != "dlib" else "dlib"
    if "resnet50" in used["identity"]:
        used["identity"] = "resnet50"
    return {"recipe": options.recipe, "departures": departures.differences(used)}


def _objective(options: Options, settings: VividSettings) -> Objective:
    if options.losses not in LOSS_SETS:
        raise UsageError(f"{options.method} has no losses {options.losses!r}; known are {', '.join(LOSS_SETS)}")
    terms = LOSS_SETS[options.losses]
    if not options.component_aware:
        terms = terms & LOSS_SETS[_WITHOUT_MODULE]
    return Objective(
        terms=terms,
        weights=Weights(alpha1=settings.identity_weight, alpha2=settings.identity_weight),
        teacher=load_teacher(options.identity, options.device),
        late=settings.late_terms,
        identification_weight=settings.identification,
        settings=settings,
    )


def _critic(options: Options) -> Discriminator:
    return Discriminator(width=_CRITIC_WIDTH[options.preset])


def _model(facts: Facts, seed: int, start: Path | None = None) -> VividGAN:
    torch.manual_seed(seed)  # the same initial weights in every stage and process
    model = build_model(facts)
    if start is not None:
        coarse = cast(Any, load_weights(start, network=facts.network)[0].coarse)
        model.coarse = coarse.deepened(facts.depth)
    return model


def _residual_scale(options: Options, settings: VividSettings) -> float:
    """Scale of the coarse network's residual in later stages and in the weight file.

    The residual overfits the teacher of identification. With SFace, which is never a teacher, rank-1 on 60 people left
    out at 16 x 16 is 75.2 % with a scale of 0.6 and 71.0 % without (480 views); on upright photographs (800 people of
    LFW) 67.8 and 60.4 %. It costs 0.3 dB.
    """
    return settings.residual_scale if "identity" in LOSS_SETS[options.losses] else 1.0


def _load(model: VividGAN, folder: Path, parts: tuple[str, ...], *, residual_scale: float) -> VividGAN:
    """Load the averaged weights of earlier stages and scale the residual of the paper's coarse network."""
    for part in parts:
        averages = checkpoint.best_averages(folder / part)
        network = model.coarse if part == "photographs" else getattr(model, part)
        network.load_state_dict(averages.get(part) or averages["net"])
    if isinstance(model.coarse, CoarseNet):
        model.coarse.scale_residual(residual_scale)
    return model
