"""Runs that are at chance or below the LR face say so, with causes, in run.json, in a study and in reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.diagnosis import of_run
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.types import ImageSpec

Bench = Callable[..., tuple[int, str, str]]
PEOPLE = 24


class Spoilt(Hallucinator):
    """Enlarges, and spoils the picture in one way."""

    output_spec = ImageSpec(16)

    def __init__(self, *, how: str = "swapped") -> None:
        self.how = how

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        large = np.repeat(np.repeat(lr, 2, 2), 2, 3)
        if self.how == "swapped":
            return np.ascontiguousarray(large[:, ::-1])
        if self.how == "noise":
            seeds = [int(abs(float(face.sum())) * 1e4) for face in lr]
            return np.stack([np.random.default_rng(seed).random((3, 16, 16), np.float32) for seed in seeds])
        return large


@pytest.fixture
def command(toys: Any, tmp_path: Path) -> tuple[object, ...]:
    HALLUCINATORS.register("spoilt", summary="Spoils.")(Spoilt)
    root = toys.write(tmp_path / "many", people=PEOPLE)
    return ("run", "--protocol", f"toys:people={PEOPLE}", "--data-root", root, "--recogniser", "pixels")


def _warnings(out: Path) -> list[str]:
    result: list[str] = json.loads((out / "run.json").read_text())["warnings"]
    return result


def _of(out: Path, beginning: str) -> str:
    return next((warning for warning in _warnings(out) if warning.startswith(beginning)), "")


def test_a_run_below_the_lr_face_names_the_swapped_colours_and_the_side(
    bench: Bench, command: tuple[object, ...], tmp_path: Path
) -> None:
    code, out, err = bench(*command, "--hallucinator", "spoilt", "--hallucinate", "probe", "--out", tmp_path / "run")
    assert code == 0, err
    sentence = _of(tmp_path / "run", "Below the LR face: rank-1 ")
    assert "colour order" in sentence
    assert "--hallucinate both" in sentence
    assert sentence in out


def test_noise_is_at_chance(bench: Bench, command: tuple[object, ...], tmp_path: Path) -> None:
    code, _, err = bench(*command, "--hallucinator", "spoilt:how=noise", "--out", tmp_path / "run")
    assert code == 0, err
    sentence = _of(tmp_path / "run", "At chance: rank-1 ") or _of(tmp_path / "run", "Near chance: rank-1 ")
    assert f"a random order of {2 * PEOPLE} templates gives {2 / (2 * PEOPLE):.2%}" in sentence
    assert "content: outputs hardly show their inputs" in sentence
    below = _of(tmp_path / "run", "Below the LR face")
    assert "95 % interval" in below
    assert "cause" not in below  # they stand in the sentence before


@pytest.mark.parametrize("hallucinator", ["none", "bicubic", "spoilt:how=not"])
def test_runs_as_good_as_the_lr_face_say_nothing(
    hallucinator: str, bench: Bench, command: tuple[object, ...], tmp_path: Path
) -> None:
    bench(*command, "--hallucinator", hallucinator, "--hallucinate", "both", "--out", tmp_path / "run")
    assert not _of(tmp_path / "run", "Below") + _of(tmp_path / "run", "At ") + _of(tmp_path / "run", "Near ")


def test_a_smoke_run_of_five_probes_says_nothing(bench: Bench, command: tuple[object, ...], tmp_path: Path) -> None:
    bench(*command, "--hallucinator", "spoilt:how=noise", "--limit", "5", "--out", tmp_path / "run")
    assert not _of(tmp_path / "run", "Below") + _of(tmp_path / "run", "At ") + _of(tmp_path / "run", "Near ")


def test_a_large_run_is_compared_by_the_study_and_by_reports_instead(
    bench: Bench, command: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_run, "MOST_IMAGES", 1)
    study = tmp_path / "study"
    code, out, err = bench(*command, "--hallucinator", "none,spoilt", "--hallucinate", "probe", "--out", study)
    assert code == 0, err
    cells = {cell["hallucinator"]: cell for cell in json.loads((study / "study.json").read_text())["cells"]}
    assert cells["none"]["warnings"] == []
    (sentence,) = (text for text in cells["spoilt"]["warnings"] if text.startswith("Below the LR face"))
    assert "swapped-channels" in sentence
    assert f"warning: {sentence}" in out
    folders = [study / cell["name"] for cell in cells.values()]
    assert not _of(folders[1], "Below")
    assert bench("report", *folders, "--out", tmp_path / "report")[0] == 0
    assert "Below the LR face: rank-1" in (tmp_path / "report" / "index.html").read_text()
    assert "Below the LR face: rank-1" in bench("compare", *folders)[1]
    code, again, _ = bench(*command, "--hallucinator", "none,spoilt", "--hallucinate", "probe", "--out", study)
    assert f"warning: {sentence}" in again


def test_a_large_run_is_compared_with_a_run_of_the_lr_face_beside_it(
    bench: Bench, command: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_run, "MOST_IMAGES", 1)
    flags = ("--hallucinator", "spoilt", "--hallucinate", "probe")
    assert "Below" not in bench(*command, *flags, "--out", tmp_path / "runs" / "one")[1]
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{")
    bench(*command, "--recogniser", "pixels:side=2", "--out", tmp_path / "runs" / "other")
    assert "Below" not in bench(*command, *flags, "--out", tmp_path / "runs" / "one")[1]
    bench(*command, "--out", tmp_path / "runs" / "lr")
    assert "warning: Below the LR face: rank-1" in bench(*command, *flags, "--out", tmp_path / "runs" / "one")[1]


def test_what_the_lr_face_meets_does_not_lose_the_run(
    bench: Bench, command: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(of_run, "_lr_measured", broken)
    code, _, err = bench(*command, "--hallucinator", "spoilt", "--out", tmp_path / "run")
    assert code == 0, err
    assert not _of(tmp_path / "run", "Below")
