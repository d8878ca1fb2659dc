"""``bench ablate`` end to end on a tiny pack: trained, measured, one variant failing, gone on with, refused."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hallucinators.vividgan.network.weight_file import read_facts
from hallucinators.vividgan.training import recipe

Bench = Callable[..., tuple[int, str, str]]
STEPS = "geometry=1,coarse=1,touchup=1,whole=1"


@pytest.fixture(autouse=True)
def no_tensorboard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # it takes seconds to import


@pytest.fixture
def ablate(bench: Bench, pack_file: Path, tmp_path: Path) -> Bench:
    def call(*more: object) -> tuple[int, str, str]:
        inputs = ("--data", pack_file, "--out", tmp_path / "out", "--steps", STEPS, "--batch", 2, "--faces", 3)
        evaluator = ("--recogniser", "ablation-pixels", "--landmarks", "template", "--threads", 1)
        return bench("ablate", *inputs, "--identity", "none", *evaluator, *more)

    return call


@pytest.mark.slow
def test_variants_are_trained_measured_and_gone_on_with(
    ablate: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recipe.WholeStage

    def fails(model: Any, critic: Any, fine_critic: Any, objective: Any, **named: Any) -> Any:
        if "symmetry" not in objective.terms:
            raise RuntimeError("no luck with minus")
        return whole(model, critic, fine_critic, objective, **named)

    with monkeypatch.context() as patch:
        patch.setattr(recipe, "WholeStage", fails)
        code, out, err = ablate("--variants", "full,v+gt,minus", "--people", 2)
    assert code == 1 and "1 of 3 variants failed: minus" in err
    assert "FAILED: RuntimeError: no luck with minus" in out and "SMOKE RUN" in out
    assert "geometry 1 + coarse 1 + touchup 1 + whole 1 steps of 2 faces" in out
    table = json.loads((tmp_path / "out" / "table.json").read_text())["variants"]
    assert [row["variant"] for row in table] == ["minus", "full", "v+gt", "bicubic"]
    assert table[1]["cells"]["psnr_db"]["probes"] == 16 and set(table[2]["differences"]) == {
        "psnr_db",
        "ssim",
        "rank_1",
    }
    assert read_facts(tmp_path / "out" / "variants" / "v+gt" / "weights.safetensors").trained["smoke"] is True

    code, out, err = ablate("--variants", "minus,full,v+gt", "--people", 2)
    assert code == 0, err
    assert err.count("vividgan: stopped (done)") == 1, "only what failed is trained"
    assert err.count("vividgan: had ended (done)") == 2
    rows = list(csv.DictReader((tmp_path / "out" / "table.csv").open()))
    assert [row["variant"] for row in rows[::3]] == ["minus", "full", "v+gt", "bicubic"] and len(rows) == 12
    assert not any(row["failure"] for row in rows)

    code, _, err = ablate("--variants", "full", "--seed", 1)
    assert code == 2 and "another recipe: seed is 1 here and was 0" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--variants", "minus"), "full must be among them"),
        (("--variants", "full,most"), "known are minus"),
        (("--steps", "corse=2"), "geometry, coarse, touchup, whole"),
        (("--steps", "coarse"), "STAGE=N"),
        (("--steps", "whole=0"), "needs the stage whole"),
        (("--preset", "huge"), "paper, compact"),
        (("--identity", "dlib", "--recogniser", "dlib"), "is the teacher"),
        (("--batch", "9"), "smaller --batch"),
        (("--people", "1"), "at least 2 are needed"),
        (("--faces", "0"), "--faces is 0"),
        (("--recogniser", "sfase"), "Did you mean 'sface'"),
    ],
)
def test_what_cannot_be_requested_is_wrong_usage_and_leaves_nothing(
    ablate: Bench, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    code, out, err = ablate(*options)
    assert code == 2 and message in err, err
    assert out == "" and not (tmp_path / "out").exists()


def test_every_variant_failing_is_an_error_with_the_reasons(
    ablate: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **named: Any) -> Any:
        raise RuntimeError("no luck")

    monkeypatch.setattr(recipe, "GeometryStage", fails)
    code, out, err = ablate("--variants", "full,minus")
    assert code == 1 and "No variant has figures" in err and "no luck" in err
    assert "FAILED" in (tmp_path / "out" / "table.md").read_text()


@pytest.mark.slow
def test_several_seeds_have_a_table_of_their_own_and_an_addition_can_be_left_out(ablate: Bench, tmp_path: Path) -> None:
    code, out, err = ablate("--variants", "full,no-carry", "--people", 2, "--seeds", 2)
    assert code == 0, err
    assert "2 seeds" in out and "SMOKE RUN" in out
    rows = list(csv.DictReader((tmp_path / "out" / "seeds.csv").open()))
    assert [row["variant"] for row in rows[::3]] == ["full", "no-carry", "bicubic"]
    assert rows[6]["spread"] == "0.0", "the probes are the same with every seed"
    for seed in (0, 1):
        facts = read_facts(tmp_path / "out" / f"seed-{seed}" / "variants" / "no-carry" / "weights.safetensors")
        assert not facts.carry and "carry" not in facts.trained["departures"]


def test_no_seed_is_wrong_usage(ablate: Bench, tmp_path: Path) -> None:
    code, _, err = ablate("--seeds", "0")
    assert code == 2 and "--seeds is 0" in err and not (tmp_path / "out").exists()
