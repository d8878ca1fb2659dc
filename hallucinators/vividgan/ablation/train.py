"""Training of the variants: each stage once for all variants that it is the same for, every stage resumable."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError, DataError, UsageError
from bench.io.atomic import open_replacing
from hallucinators.vividgan.ablation.variants import Recipe, Variant, coarse_terms, options_of

if TYPE_CHECKING:
    from hallucinators.training.data.views import RenderedViews
    from hallucinators.training.method.options import Options, Stage

WEIGHTS = "weights.safetensors"
SHARED, OWN = "shared", "variants"
_VALIDATE_EVERY, _CHECKPOINT_EVERY = 500, 250


@dataclass
class Trainer:
    """Trains variants into one folder.

    Attributes:
        out: the folder: ``shared/geometry``, ``shared/TERMS/coarse`` and ``touchup``, ``variants/NAME/whole``.
        recipe: what all share.
        people: views of those trained on.
        validated: views of people left out, by whom the best weights of a stage are chosen.
        digest: of the pack.
        say: told a line now and then.
    """

    out: Path
    recipe: Recipe
    people: RenderedViews
    validated: RenderedViews
    digest: str
    say: Callable[[str], None]
    _done: dict[Path, str] = field(default_factory=dict)  # stage folders looked at, and why one failed

    def train(self, variant: Variant) -> Path:
        """Train a variant, or go on with it; at once where it was finished.

        Returns:
            Its weight file.

        Raises:
            UsageError: the recipe asks for what the trainer does not know.
            BenchError: a stage failed, here or in a variant that shares it.
            KeyboardInterrupt: it was asked to stop; the same call goes on from there.
        """
        from hallucinators.vividgan.training.recipe import export, stages

        options = options_of(variant, self.recipe)
        planned = stages(options)
        home = self.out / OWN / variant.name
        for number, stage in enumerate(planned):
            self._stage(stage, variant, self._recipe(variant, options, planned[: number + 1]))
        trained = {
            "ablation": variant.name,
            "pack": self.digest,
            "people": len(self.people),
            "smoke": self.recipe.faces is not None,
            "losses": variant.losses,
        } | {f"{stage.name}_steps": stage.steps for stage in planned}
        export(options, home, home / WEIGHTS, trained)
        return home / WEIGHTS

    def _stage(self, stage: Stage, variant: Variant, recipe: dict[str, str | int | float]) -> None:
        """Train one stage where it is not done, and bring what it needs beside it."""
        group = self.out / SHARED / "-".join(coarse_terms(variant, self.recipe))
        homes = {"geometry": self.out / SHARED, "coarse": group, "touchup": group}
        home = homes.get(stage.name, self.out / OWN / variant.name)
        if home / stage.name not in self._done:
            for before in ("geometry", "coarse", "touchup"):
                if before != stage.name and homes[before] != home:
                    _bring(homes[before] / before, home / before)
            try:
                self._train(stage, home, recipe)
            except (UsageError, KeyboardInterrupt):
                raise
            except Exception as error:
                self._done[home / stage.name] = _reason(stage.name, error)
                raise
            self._done[home / stage.name] = ""
        if self._done[home / stage.name]:
            raise BenchError(self._done[home / stage.name])

    def _train(self, stage: Stage, home: Path, recipe: dict[str, str | int | float]) -> None:
        from hallucinators.training.data.source import PairSource
        from hallucinators.training.loop.run import train
        from hallucinators.training.steps.settings import Settings

        shared = self.recipe
        settings = Settings(
            steps=stage.steps,
            batch_size=shared.batch,
            seed=shared.seed,
            device=shared.device,
            precision=shared.precision,
            threads=shared.threads,
            validate_every=min(_VALIDATE_EVERY, stage.steps),
            checkpoint_every=min(_CHECKPOINT_EVERY, stage.steps),
        )
        source = PairSource(
            self.people,
            self.validated,
            batch_size=shared.batch,
            seed=shared.seed,
            sides=stage.sides,
            flow=stage.flow,
        )
        result = train(stage.build(home), source, settings, home / stage.name, self.say, recipe=recipe)
        if result.stopped == "signal":
            raise KeyboardInterrupt

    def _recipe(self, variant: Variant, options: Options, so_far: list[Stage]) -> dict[str, str | int | float]:
        """What a checkpoint must share with the run that goes on from it: all that decided its weights."""
        shared = self.recipe
        last = so_far[-1].name
        found: dict[str, str | int | float] = {f"{stage.name}_steps": stage.steps for stage in so_far}
        found |= {"lr": shared.lr, "preset": shared.preset, "data": self.digest, "faces": shared.faces or 0}
        if last != "geometry":
            found |= {"identity": Path(shared.identity).name, "coarse": "-".join(coarse_terms(variant, shared))}
        if last == "whole":
            found |= {
                "losses": variant.losses,
                "touchup": int(options.touchup),
                "component_aware": int(options.component_aware),
                "true_components": int(options.true_components),
            }
        return found


def _bring(source: Path, target: Path) -> None:
    """Put the best weights of a finished stage where a later one looks for them; by a link where that goes."""
    from hallucinators.training.loop import checkpoint

    best = checkpoint.best_path(source)
    if best is None:
        return  # the stage was left out; whoever needs it says so
    place = target / best.name
    try:
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("best-*.pt"):
            if old.name != best.name or not os.path.samefile(old, best):
                old.unlink()
        if not place.exists():
            try:
                os.link(best, place)
            except OSError:
                with best.open("rb") as source_file, open_replacing(place) as file:
                    shutil.copyfileobj(source_file, file)
    except OSError as error:
        raise DataError(f"Cannot put {best} into {target}: {error.strerror or error}.") from error


def _reason(stage: str, error: Exception) -> str:
    """A failure as one line."""
    words = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return f"stage {stage}: {' '.join(words.split())}"
