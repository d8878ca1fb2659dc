"""Training of a method: its stages, its weight file and the card beside it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.faces.pairs.pack import BY_NAME
from bench.io.file_digests import file_digest
from hallucinators.networks.registration import TRAINERS
from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import run
from hallucinators.training.method.card import write_card
from hallucinators.training.method.options import Options, Stage
from hallucinators.training.steps import distributed
from hallucinators.training.steps.settings import Settings
from hallucinators.training.steps.task import BatchSource

_LEAST_MINUTES = 0.01  # a stage without time left may still validate and write


@dataclass(frozen=True)
class MethodResult:
    """Result of training a method.

    Attributes:
        stopped: ``done``; or ``time`` or ``signal``, after which the same call continues.
        stage: the last stage that ran.
        results: results of the stages, by name.
        weights: the weight file; None if the training is not finished, or in processes other than the first.
        arguments: further arguments of the hallucinator for these weights, to follow ``NAME:weights=FILE``.
    """

    stopped: run.Stopped
    stage: str
    results: dict[str, run.Result]
    weights: Path | None = None
    arguments: str = ""

    @property
    def samples(self) -> int:
        """Faces seen, over all stages."""
        return sum(result.samples_seen for result in self.results.values())

    @property
    def minutes(self) -> float:
        """Minutes of training, over all stages and calls."""
        return sum(result.seconds for result in self.results.values()) / 60


@dataclass(frozen=True, kw_only=True)
class People:
    """Views of the people for training and for validation.

    Attributes:
        train: views of the training people, a set for each pack.
        left_out: views of people left out of training, on whom the best weights are selected.
        digest: digest of the packs.
        faces: number of training people that a smoke run is limited to; 0 for all.
        split: how people were split, in words.
        left_out_near: for each pack and excluded set: names, near photographs by rule, and ``left_out``, the number of
            faces that are not trained on because of it.
    """

    train: Sequence[RenderedViews]
    left_out: RenderedViews
    digest: str
    faces: int = 0
    split: str = BY_NAME
    left_out_near: Sequence[Mapping[str, Any]] = ()


def stages_of(options: Options) -> list[Stage]:
    """The stages of a method; faulty options raise here, before anything is rendered."""
    stages: list[Stage] = _trainer(options.method).stages(options)
    return stages


def _trainer(method: str) -> ModuleType:
    return importlib.import_module(TRAINERS[method].module)


def train_method(options: Options, settings: Settings, people: People, out: Path) -> MethodResult:
    """Train all stages of a method, or continue a stopped training, and write its weights and their card.

    Args:
        options: of the method.
        settings: of the loop; ``steps`` is replaced by those of the stages, and ``minutes`` is for all stages together.
        people: the training and validation people.
        out: the folder; it has a subfolder for each stage.

    Raises:
        BenchError: see `hallucinators.training.loop.run.train`, and the method's ``stages`` and ``export``.
    """
    results: dict[str, run.Result] = {}
    for stage in stages_of(options):
        source: BatchSource = PairSource(
            people.train,
            people.left_out,
            batch_size=settings.batch_size,
            seed=settings.seed,
            rank=distributed.rank(),
            ranks=distributed.world_size(),
            sides=stage.sides,
            flow=stage.flow,
            augmentation=stage.augmentation,
            upright=stage.upright,
        )
        if stage.mix is not None:
            source = stage.mix(source, settings.batch_size, settings.seed, distributed.rank())
        result = run.train(
            stage.build(out),
            source,
            replace(
                settings,
                steps=stage.steps,
                minutes=_minutes_left(settings.minutes, results),
                validate_every=min(500, stage.steps),
                checkpoint_every=min(250, stage.steps),
            ),
            out / stage.name,
            recipe=recipe_of(options, people),
        )
        results[stage.name] = result
        if result.stopped in ("signal", "time"):
            return MethodResult(result.stopped, stage.name, results)
    outcome = MethodResult("done", stage.name, results)
    if distributed.rank() != 0:
        return outcome
    weights = out / f"{options.method}.safetensors"
    trained = {"pack": people.digest, "people": options.people, "smoke": bool(people.faces), "losses": options.losses}
    trained |= {"split": people.split, "left_out_near": [dict(entry) for entry in people.left_out_near]}
    trained |= {"precision": settings.precision}
    trained |= {f"{name}_samples": result.samples_seen for name, result in results.items()}
    trained |= {f"{name}_minutes": round(result.seconds / 60, 1) for name, result in results.items()}
    facts = _trainer(options.method).export(options, out, weights, trained)
    write_card(
        weights,
        options,
        settings,
        results,
        people=options.people,
        smoke=bool(people.faces),
        split=people.split,
        left_out_near=people.left_out_near,
        trained=facts.trained,
    )
    arguments = (f",size={facts.lr}" if facts.lr else "") + ("" if getattr(facts, "fine", True) else ",output=coarse")
    return replace(outcome, weights=weights, arguments=arguments)


def recipe_of(options: Options, people: People) -> dict[str, str | int | float]:
    """Facts that a checkpoint must share with the run that continues from it."""
    shared: dict[str, str | int | float] = {
        "method": options.method,
        "lr": options.lr,
        "preset": options.preset,
        "identity": Path(options.identity).name,
        "losses": options.losses,
        "touchup": int(options.touchup),
        "component_aware": int(options.component_aware),
        "true_components": int(options.true_components),
        "carry": int(options.carry),
        "data": people.digest,
        "faces": people.faces,
    }
    if options.method == "cyclegan":
        shared["of"] = options.of
    if options.depth or options.photographs:
        shared |= {"depth": options.depth, "photographs": len(options.photographs)}
        shared |= {"degradation": int(options.degradation), "templates": int(options.templates)}
    if options.start is not None:
        shared["start"] = file_digest(options.start)
    return shared | {name: value for name, value in options.settings.items() if name not in shared}


def _minutes_left(minutes: float | None, results: dict[str, run.Result]) -> float | None:
    if minutes is None:
        return None
    spent = sum(result.seconds for result in results.values()) / 60
    return max(minutes - spent, min(minutes, _LEAST_MINUTES))
