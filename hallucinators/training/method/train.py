"""A method trained from its first stage to its weight file, with a card beside it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hallucinators.training.data.source import PairSource
from hallucinators.training.data.views import RenderedViews
from hallucinators.training.loop import run
from hallucinators.training.method.card import write_card
from hallucinators.training.method.options import METHODS, Options, Stage
from hallucinators.training.steps import distributed
from hallucinators.training.steps.settings import Settings

_LEAST_MINUTES = 0.01  # a stage whose time is over may still look and write


@dataclass(frozen=True)
class Ended:
    """How a method's training ended.

    Attributes:
        stopped: ``done``, or ``time`` or ``signal`` where the same call goes on.
        stage: the last one that ran.
        results: of the stages, by name.
        weights: the weight file; None where the training is not finished, or in processes other than the first.
        arguments: what to write behind ``NAME:weights=FILE`` to use it.
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
        """Time of training, over all stages and resumptions."""
        return sum(result.seconds for result in self.results.values()) / 60


@dataclass(frozen=True, kw_only=True)
class People:
    """Who is trained on, and who is left out.

    Attributes:
        train: views, a set for each pack.
        left_out: views of people left out, on whom the best weights are chosen.
        digest: of the packs.
        faces: the number a smoke run was limited to; 0 for all.
    """

    train: Sequence[RenderedViews]
    left_out: RenderedViews
    digest: str
    faces: int = 0


def stages_of(options: Options) -> list[Stage]:
    """The stages of a method; what is wrong with the options is said here, before anything is rendered."""
    stages: list[Stage] = importlib.import_module(METHODS[options.method]).stages(options)
    return stages


def train_method(options: Options, settings: Settings, people: People, out: Path) -> Ended:
    """Train all stages of a method, or go on where it stopped, and write its weights and their card.

    Args:
        options: what is trained.
        settings: of the loop; ``steps`` are the stages' own, and ``minutes`` is for all of them together.
        people: whom it sees.
        out: the folder; every stage has one of its own in it.

    Raises:
        BenchError: see `hallucinators.training.loop.run.train`, and the method's ``stages`` and ``export``.
    """
    results: dict[str, run.Result] = {}
    for stage in stages_of(options):
        source = PairSource(
            people.train,
            people.left_out,
            batch_size=settings.batch_size,
            seed=settings.seed,
            rank=distributed.rank(),
            ranks=distributed.world_size(),
            sides=stage.sides,
            flow=stage.flow,
            upright=stage.upright,
        )
        result = run.train(
            stage.make(out),
            source,
            replace(
                settings,
                steps=stage.steps,
                minutes=_left(settings.minutes, results),
                validate_every=min(500, stage.steps),
                checkpoint_every=min(250, stage.steps),
            ),
            out / stage.name,
            recipe=recipe_of(options, people),
        )
        results[stage.name] = result
        if result.stopped in ("signal", "time"):
            return Ended(result.stopped, stage.name, results)
    ended = Ended("done", stage.name, results)
    if distributed.rank() != 0:
        return ended
    weights = out / f"{options.method}.safetensors"
    trained = {"pack": people.digest, "people": options.people, "smoke": bool(people.faces), "losses": options.losses}
    trained |= {f"{name}_samples": result.samples_seen for name, result in results.items()}
    trained |= {f"{name}_minutes": round(result.seconds / 60, 1) for name, result in results.items()}
    facts = importlib.import_module(METHODS[options.method]).export(options, out, weights, trained)
    write_card(weights, options, settings, results, people=options.people, smoke=bool(people.faces))
    more = (f",size={facts.lr}" if facts.lr else "") + ("" if getattr(facts, "fine", True) else ",output=coarse")
    return replace(ended, weights=weights, arguments=more)


def recipe_of(options: Options, people: People) -> dict[str, str | int | float]:
    """What a checkpoint must share with the run that goes on from it."""
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
    return shared


def _left(minutes: float | None, results: dict[str, run.Result]) -> float | None:
    if minutes is None:
        return None
    spent = sum(result.seconds for result in results.values()) / 60
    return max(minutes - spent, min(minutes, _LEAST_MINUTES))
