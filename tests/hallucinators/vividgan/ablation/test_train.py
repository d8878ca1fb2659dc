"""Each stage is trained once for all variants that share it; its failure is reported for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import BenchError
from hallucinators.training.loop import checkpoint, run
from hallucinators.training.loop.run import Result
from hallucinators.training.method.options import Options, Stage
from hallucinators.vividgan.ablation.train import SHARED, VARIANT_FOLDER, WEIGHTS, Trainer
from hallucinators.vividgan.ablation.variants import PAPER_VARIANTS, VARIANTS, Recipe
from hallucinators.vividgan.training import recipe as vividgan

NEEDS = {"geometry": (), "coarse": ("geometry",), "touchup": ("coarse",), "whole": ("coarse", "touchup")}


@dataclass
class Log:
    """What was trained, where, with which recipe; and what is to fail."""

    trained: list[tuple[str, str]] = field(default_factory=list)
    recipes: dict[str, dict[str, Any]] = field(default_factory=dict)
    fails: str = ""
    stops: str = ""


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Train nothing: stages leave a mark, and see that what they need is beside them."""
    result = Log()

    def stages(options: Options) -> list[Stage]:
        def maker(name: str) -> Callable[[Path], Any]:
            def make(folder: Path) -> str:
                for needed in NEEDS[name]:
                    if needed != "touchup" or (options.touchup and not options.true_components):
                        assert checkpoint.best_path(folder / needed), f"{name} lacks {needed} in {folder}"
                return name

            return make

        names = [n for n in NEEDS if n != "touchup" or (options.touchup and not options.true_components)]
        return [Stage(name, maker(name), 3, (16,)) for name in names]

    def train(task: Any, source: Any, settings: Any, out: Path, say: Any, *, recipe: dict[str, Any]) -> Result:
        result.trained.append((task, out.parent.name))
        result.recipes[f"{task} {out.parent.name}"] = recipe
        if result.fails == f"{task} {out.parent.name}":
            raise RuntimeError("no\nmemory")
        if result.stops == task:
            return Result(1, "signal", {}, 0.0, 0, 0)
        out.mkdir(parents=True, exist_ok=True)
        checkpoint.save(checkpoint.path_of(out, 3, "best"), {"step": 3, "out": str(out), "one": torch.zeros(1)})
        return Result(3, "done", {}, 0.0, 0, 0)

    def export(options: Options, folder: Path, out: Path, trained: dict[str, Any]) -> None:
        assert checkpoint.best_path(folder / "whole")
        out.write_text(str(trained["ablation"]))

    monkeypatch.setattr(vividgan, "stages", stages)
    monkeypatch.setattr(vividgan, "export", export)
    monkeypatch.setattr(run, "train", train)
    monkeypatch.setattr("hallucinators.training.data.source.PairSource", lambda *args, **named: None)
    return result


def trainer(out: Path) -> Trainer:
    return Trainer(out, Recipe(steps={}, batch=2), [], [], "digest", lambda line: None)  # type: ignore[arg-type]


def test_what_is_the_same_is_trained_once(log: Log, tmp_path: Path) -> None:
    instance = trainer(tmp_path)
    for name, variant in PAPER_VARIANTS.items():
        assert instance.train(variant).read_text() == name
    stages = [stage for stage, _ in log.trained]
    assert {name: stages.count(name) for name in NEEDS} == {"geometry": 1, "coarse": 4, "touchup": 4, "whole": 9}
    assert [where for stage, where in log.trained if stage == "whole"] == list(PAPER_VARIANTS)
    best = checkpoint.best_path(tmp_path / VARIANT_FOLDER / "full" / "coarse")
    assert best and "pixel-symmetry-identity-adversarial_coarse" in checkpoint.load(best)["out"]
    best = checkpoint.best_path(tmp_path / VARIANT_FOLDER / "minus" / "coarse")
    assert best and checkpoint.load(best)["out"].endswith("shared/pixel/coarse")


def test_recipes_hold_what_decided_a_stage_and_no_more(log: Log, tmp_path: Path) -> None:
    instance = trainer(tmp_path)
    instance.train(VARIANTS["full"])
    instance.train(VARIANTS["v-tn"])
    first, whole = log.recipes["geometry shared"], log.recipes["whole full"]
    assert "losses" not in first and "identity" not in first and first["geometry_steps"] == 3
    assert whole["losses"] == "full" and whole["touchup"] == 1 and whole["coarse_steps"] == 3
    other = log.recipes["whole v-tn"]
    assert other["touchup"] == 0 and "touchup_steps" not in other


def test_a_stage_that_fails_is_reported_of_every_variant_that_shares_it(log: Log, tmp_path: Path) -> None:
    log.fails = "coarse pixel-symmetry-identity"
    instance = trainer(tmp_path)
    instance.train(VARIANTS["minus"])
    with pytest.raises(RuntimeError):
        instance.train(VARIANTS["ddagger"])
    with pytest.raises(BenchError, match="stage coarse: RuntimeError: no memory"):
        instance.train(VARIANTS["figure_6i"])
    assert log.trained.count(("coarse", "pixel-symmetry-identity")) == 1
    instance.train(VARIANTS["full"])
    log.fails = ""
    trainer(tmp_path).train(VARIANTS["ddagger"])


def test_a_signal_stops_all(log: Log, tmp_path: Path) -> None:
    log.stops = "touchup"
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path).train(VARIANTS["full"])
    assert not (tmp_path / VARIANT_FOLDER / "full" / WEIGHTS).exists()


def test_better_weights_of_a_shared_stage_replace_those_brought_before(log: Log, tmp_path: Path) -> None:
    trainer(tmp_path).train(VARIANTS["full"])
    group = tmp_path / SHARED / "pixel-symmetry-identity-adversarial_coarse" / "coarse"
    checkpoint.save(checkpoint.path_of(group, 9, "best"), {"out": "better"})
    trainer(tmp_path).train(VARIANTS["v+gt"])
    kept = list((tmp_path / VARIANT_FOLDER / "v+gt" / "coarse").glob("best-*.pt"))
    assert [path.name for path in kept] == ["best-00000009.pt"]


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("no-freeze-coarse", ["whole"]),
        ("no-residual-scale", ["touchup", "whole"]),
        ("no-carry", ["coarse", "touchup", "whole"]),
        ("no-ema", ["geometry", "coarse", "touchup", "whole"]),
    ],
)
def test_a_variant_without_an_addition_trains_the_stages_from_the_first_that_differs(
    log: Log, tmp_path: Path, name: str, alone: list[str]
) -> None:
    instance = trainer(tmp_path)
    instance.train(VARIANTS["full"])
    log.trained.clear()
    instance.train(VARIANTS[name])
    assert log.trained == [(stage, name) for stage in alone]
    assert log.recipes[f"whole {name}"]["without"] == name[3:].replace("-", "_")
    assert "without" not in log.recipes["whole full"]
