"""Training of the variants: variants share a stage where it is the same; every stage can be resumed."""

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
SHARED, VARIANT_FOLDER = "shared", "variants"
_STAGES = ("geometry", "coarse", "touchup", "whole")
_VALIDATE_EVERY, _CHECKPOINT_EVERY = 500, 250


@dataclass
class Trainer:
    """Trains variants into one folder.

    Attributes:
        out: the folder: ``shared/geometry``, ``shared/TERMS/coarse`` and ``touchup``, ``variants/NAME/whole``.
        recipe: shared settings.
        people: views of the training people.
        validated: views of the people left out for validation.
        digest: digest of the pack.
        say: called with lines on the progress.
    """

    out: Path
    recipe: Recipe
    people: RenderedViews
    validated: RenderedViews
    digest: str
    say: Callable[[str], None]
    _done: dict[Path, str] = field(default_factory=dict)  # failure (or "") by folder of a stage

    def train(self, variant: Variant) -> Path:
        """Train a variant, or continue its training; returns at once if it is finished.

        Returns:
            Its weight file.

        Raises:
            UsageError: the recipe has an unknown value.
            BenchError: a stage failed, in this variant or in one that shares it.
            KeyboardInterrupt: a signal stopped it; the same call continues.
        """
        from hallucinators.vividgan.training.recipe import export, stages

        options = options_of(variant, self.recipe)
        planned = stages(options)
        home = self.out / VARIANT_FOLDER / variant.name
        for number, stage in enumerate(planned):
            self._stage(stage, variant, options, self._recipe(variant, options, planned[: number + 1]))
        trained = {
            "ablation": variant.name,
            "pack": self.digest,
            "people": len(self.people),
            "smoke": self.recipe.faces is not None,
            "losses": variant.losses,
            "precision": self.recipe.precision,
        } | {f"{stage.name}_steps": stage.steps for stage in planned}
        export(options, home, home / WEIGHTS, trained)
        return home / WEIGHTS

    def _stage(self, stage: Stage, variant: Variant, options: Options, recipe: dict[str, str | int | float]) -> None:
        """Train one stage if necessary, with the earlier stages beside it."""
        group = self.out / SHARED / "-".join(coarse_terms(variant, self.recipe))
        alone = self.out / VARIANT_FOLDER / variant.name
        homes = {"geometry": self.out / SHARED, "coarse": group, "touchup": group, "whole": alone}
        if variant.without:  # it shares the stages before the first one that differs
            homes |= dict.fromkeys(_STAGES[_STAGES.index(variant.without.stage) :], alone)
        home = homes[stage.name]
        if home / stage.name not in self._done:
            for before in ("geometry", "coarse", "touchup"):
                if before != stage.name and homes[before] != home:
                    _link_best_weights(homes[before] / before, home / before)
            try:
                self._train(stage, options, home, recipe)
            except (UsageError, KeyboardInterrupt):
                raise
            except Exception as error:
                self._done[home / stage.name] = _reason(stage.name, error)
                raise
            self._done[home / stage.name] = ""
        if self._done[home / stage.name]:
            raise BenchError(self._done[home / stage.name])

    def _train(self, stage: Stage, options: Options, home: Path, recipe: dict[str, str | int | float]) -> None:
        from hallucinators.training.data.source import PairSource
        from hallucinators.training.loop.run import train
        from hallucinators.training.steps.settings import Settings
        from hallucinators.vividgan.training.settings import settings_of

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
            ema_decay=settings_of(options).ema,
        )
        source = PairSource(
            self.people,
            self.validated,
            batch_size=shared.batch,
            seed=shared.seed,
            sides=stage.sides,
            flow=stage.flow,
            augmentation=stage.augmentation,
        )
        result = train(stage.build(home), source, settings, home / stage.name, self.say, recipe=recipe)
        if result.stopped == "signal":
            raise KeyboardInterrupt

    def _recipe(self, variant: Variant, options: Options, so_far: list[Stage]) -> dict[str, str | int | float]:
        """Facts that a checkpoint must share with the run that continues from it: all that determines its weights."""
        shared = self.recipe
        last = so_far[-1].name
        facts: dict[str, str | int | float] = {f"{stage.name}_steps": stage.steps for stage in so_far}
        facts |= {"lr": shared.lr, "preset": shared.preset, "data": self.digest, "faces": shared.faces or 0}
        addition = variant.without
        if addition and _STAGES.index(addition.stage) <= _STAGES.index(last):
            facts["without"] = addition.name
        if last != "geometry":
            facts |= {"identity": Path(shared.identity).name, "coarse": "-".join(coarse_terms(variant, shared))}
        if last == "whole":
            facts |= {
                "losses": variant.losses,
                "touchup": int(options.touchup),
                "component_aware": int(options.component_aware),
                "true_components": int(options.true_components),
            }
        return facts


def _link_best_weights(source: Path, target: Path) -> None:
    """Link (or copy) the best weights of a finished stage into the folder where a later stage reads them."""
    from hallucinators.training.loop import checkpoint

    best = checkpoint.best_path(source)
    if best is None:
        return  # the stage was left out; a stage that needs it raises
    link = target / best.name
    try:
        target.mkdir(parents=True, exist_ok=True)
        for old in target.glob("best-*.pt"):
            if old.name != best.name or not os.path.samefile(old, best):
                old.unlink()
        if not link.exists():
            try:
                os.link(best, link)
            except OSError:
                with best.open("rb") as source_file, open_replacing(link) as file:
                    shutil.copyfileobj(source_file, file)
    except OSError as error:
        raise DataError(f"Cannot put {best} into {target}: {error.strerror or error}.") from error


def _reason(stage: str, error: Exception) -> str:
    """A failure as one line."""
    words = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
    return f"stage {stage}: {' '.join(words.split())}"
