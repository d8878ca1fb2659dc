"""The stages of training VividGAN and ``vividgan-flow``, and the weight file at their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch

from bench.errors import UsageError
from hallucinators.networks.discriminator import Discriminator
from hallucinators.training.loop import checkpoint
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps.task import Task
from hallucinators.vividgan.network.coarse import CoarseNet
from hallucinators.vividgan.network.loading import build, save_weights
from hallucinators.vividgan.network.model import PRESETS, VividGAN
from hallucinators.vividgan.network.weight_file import Facts, Network, Preset
from hallucinators.vividgan.training.flow import FlowTask
from hallucinators.vividgan.training.geometry import GeometryStage
from hallucinators.vividgan.training.losses import LOSS_SETS, Weights
from hallucinators.vividgan.training.objective import Objective
from hallucinators.vividgan.training.stages import CoarseStage, TouchUpStage, WholeStage
from hallucinators.vividgan.training.teacher import teacher

STAGES = ("geometry", "coarse", "touchup", "whole")
_DEFAULT_STEPS = {"geometry": 12000, "coarse": 6500, "touchup": 1000, "whole": 3000}
_FLOW_STEPS = {"geometry": 0, "coarse": 9000, "touchup": 1000, "whole": 2000}
_GEOMETRY_SHARE = 1 / 3
_PLACED = ("geometry", "coarse")
"""Stages whose batches say where each point of the face is."""
_CRITIC_WIDTH = {"paper": 1.0, "compact": 0.25}
_WITHOUT_MODULE = "figure_6f"
_FLOW_WHOLE = LOSS_SETS["dagger"]
"""Losses of the flow network's last stage: on faces like its own, pixels alone lose 18 points of rank-1, with identity
none are lost; adversaries cost likeness (0.1 to 0.5 dB) and people."""
_OTHER_TEACHER = Weights(alpha1=0.1, alpha2=0.1)
_APART = 0.5
"""Weights of the identity loss, and in it of telling people apart, where dlib teaches (docs/training.md).

At the paper's 0.01 dlib's squared distances, of 0.2 to 0.5, are an eighth of the pixel loss, which paints over who
somebody is (rank-1 of the coarse face 44 %, where the picture that it paints on has 71 %); at 0.1 alone all faces come
likelier at once (49 %); with both it is 71 %. ResNet-50's features, the paper's, keep the paper's weight.
"""

_PAINT_KEPT = 0.6
"""Share of what the coarse network paints that is kept where `_APART` taught it: it paints too much, for its teacher.

SFace, which never teaches, finds 75.2 % of 60 people left out at 16 x 16 where 0.6 of the paint is kept and 71.0 %
where all is (480 views); of upright photographs (800 people of LFW) 67.8 and 60.4 %. It costs 0.3 dB.
"""


def stages(options: Options) -> list[Stage]:
    """Where the face is, coarse network, touching-up networks, all together; the flow network's first two are one.

    Raises:
        UsageError: an unknown preset, size or set of losses.
        MissingError: the teacher's weights are not here.
    """
    facts = facts_of(options)
    objective = _objective(options)
    flow = options.method == "vividgan-flow"
    defaults = _FLOW_STEPS if flow else _DEFAULT_STEPS
    steps = {name: options.steps_of(name, defaults[name], STAGES) for name in STAGES}
    sides = (32, 16) if flow else (options.lr,)

    if flow:
        steps["geometry"] = 0  # its coarse stage begins with it

    def geometry(folder: Path) -> Task:
        return GeometryStage(cast(CoarseNet, _model(facts).coarse), steps=steps["geometry"])

    def coarse(folder: Path) -> Task:
        model = _model(facts)
        if steps["geometry"]:
            model.coarse.load_state_dict(checkpoint.finished(folder / "geometry")["coarse"])
        if flow:
            geometry = round(steps["coarse"] * _GEOMETRY_SHARE)
            net = cast(Any, model.coarse)
            identity = objective.identity if "identity" in objective.terms else None
            return FlowTask(net, steps=steps["coarse"], geometry_steps=geometry, identity=identity)
        return CoarseStage(model.coarse, _critic(options), objective, steps=steps["coarse"])

    def touchup(folder: Path) -> Task:
        model = _filled(_model(facts), folder, ("coarse",), paint=_paint_kept(options))
        return TouchUpStage(model.to(options.device), steps=steps["touchup"])  # the loop moves what is trained alone

    def whole(folder: Path) -> Task:
        earlier = ("coarse", "touchup") if options.touchup and not options.true_components else ("coarse",)
        model = _filled(_model(facts), folder, earlier, paint=_paint_kept(options))
        return WholeStage(
            model,
            _critic(options),
            _critic(options),
            replace(objective, terms=_FLOW_WHOLE & frozenset(objective.terms)) if flow else objective,
            steps=steps["whole"],
            freeze_coarse=flow,  # its flows are held to their targets in the first stage alone
            true_components=options.true_components,
        )

    makers = {"geometry": geometry, "coarse": coarse, "touchup": touchup, "whole": whole}
    if not options.touchup or options.true_components:
        steps["touchup"] = 0
    return [Stage(n, makers[n], steps[n], sides, n in _PLACED) for n in STAGES if steps[n]]


def export(options: Options, folder: Path, out: Path, trained: Mapping[str, Any]) -> Facts:
    """Write the weight file of a finished training.

    Args:
        options: those it was trained with.
        folder: of the training.
        out: the file.
        trained: what the card says of it.

    Raises:
        DataError: no stage is finished.
    """
    facts = facts_of(options)
    model = _model(facts)
    if options.steps.get("whole") != 0 and checkpoint.best_path(folder / "whole") is not None:
        model.load_state_dict(checkpoint.finished(folder / "whole")["model"])
        fine = True
    else:
        model, fine = _filled(model, folder, ("coarse",), paint=_paint_kept(options)), False
    facts = replace(facts, fine=fine, trained={**trained})
    save_weights(out, model, facts)
    return facts


def facts_of(options: Options) -> Facts:
    """The network that options ask for."""
    options.refuse_unknown(PRESETS)
    flow = options.method == "vividgan-flow"
    return Facts(
        cast(Network, options.method),
        0 if flow else options.lr,
        cast(Preset, options.preset),
        options.touchup,
        options.component_aware,
        carry=options.carry,
    )


def _objective(options: Options) -> Objective:
    if options.losses not in LOSS_SETS:
        raise UsageError(f"{options.method} has no losses {options.losses!r}; known are {', '.join(LOSS_SETS)}")
    terms = LOSS_SETS[options.losses]
    if not options.component_aware:
        terms = terms & LOSS_SETS[_WITHOUT_MODULE]
    dlib = options.identity == "dlib"
    return Objective(
        terms=terms,
        weights=_OTHER_TEACHER if dlib else Weights(),
        identity=teacher(options.identity, options.device),
        apart=_APART if dlib else 0.0,
    )


def _critic(options: Options) -> Discriminator:
    return Discriminator(width=_CRITIC_WIDTH[options.preset])


def _model(facts: Facts) -> VividGAN:
    torch.manual_seed(0)  # the same first weights in every stage and process
    return build(facts)


def _paint_kept(options: Options) -> float:
    """Share of the coarse network's paint that later stages and the weight file get."""
    apart = options.identity == "dlib" and "identity" in LOSS_SETS[options.losses]
    return _PAINT_KEPT if apart and options.carry and options.method == "vividgan" else 1.0


def _filled(model: VividGAN, folder: Path, parts: tuple[str, ...], *, paint: float) -> VividGAN:
    """The model with the averaged weights of earlier stages, of what its coarse network paints this share."""
    for part in parts:
        found = checkpoint.finished(folder / part)
        state = found.get(part) or found["net"]
        getattr(model, part).load_state_dict(state)
    if isinstance(model.coarse, CoarseNet):
        model.coarse.paint_less(paint)
    return model
