"""A run names a hallucinator that cheats or is not a function of its image; an honest one costs little and is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.images import read_image, resize
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.results.folder import read_image as read_member
from bench.types import ImageSpec

Bench = Callable[..., tuple[int, str, str]]
PEOPLE = 12
NAMES = ("returns-gallery", "random-output", "keeps-state", "depends-on-batch")


def enlarged(lr: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(lr, 16 // lr.shape[2], 2), 16 // lr.shape[3], 3)


class Cheat(Hallucinator):
    """Shows the gallery image of the person whose probe it knows."""

    output_spec = ImageSpec(16)

    def __init__(self, *, folder: Path) -> None:
        files = sorted((folder / "probe").iterdir())
        self._shown = {read_image(path).tobytes(): read_image(folder / "gallery" / path.name) for path in files}

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        faces = np.rint(lr.transpose(0, 2, 3, 1) * 255).astype(np.uint8)
        shown = [resize(self._shown[face.tobytes()], 16, 16) for face in faces]
        return np.stack(shown).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)


class Noise(Hallucinator):
    output_spec = ImageSpec(16)

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        out = enlarged(lr)
        return np.clip(out + np.random.default_rng().normal(0, 0.1, out.shape), 0, 1).astype(np.float32)


class Count(Hallucinator):
    """Darker with every call, for seven calls, then anew."""

    output_spec = ImageSpec(16)

    def __init__(self) -> None:
        self._calls = 0

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        self._calls += 1
        return (enlarged(lr) * (1 - 0.1 * (self._calls % 7))).astype(np.float32)


class Average(Hallucinator):
    output_spec = ImageSpec(16)

    def hallucinate(self, lr: np.ndarray) -> np.ndarray:
        out = enlarged(lr)
        return (0.8 * out + 0.2 * out.mean(axis=0, keepdims=True)).astype(np.float32)


@pytest.fixture
def people(toys: Any, tmp_path: Path) -> Path:
    for name, factory in (("cheat", Cheat), ("noise", Noise), ("count", Count), ("average", Average)):
        HALLUCINATORS.register(name, summary="Faulty.")(factory)
    root: Path = toys.write(tmp_path / "people", people=PEOPLE)
    return root


def warnings_of(bench: Bench, root: Path, out: Path, hallucinator: str, *more: object) -> list[str]:
    flags = ("--protocol", f"toys:people={PEOPLE}", "--recogniser", "pixels", "--data-root", root, "--out", out)
    code, printed, err = bench("run", *flags, "--hallucinator", hallucinator, *more)
    assert code == 0, err
    warnings: list[str] = json.loads((out / "run.json").read_text())["warnings"]
    assert all(f"warning: {warning}" in printed for warning in warnings)
    return warnings


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize(
    ("hallucinator", "name"),
    [
        ("cheat:folder={root}", "returns-gallery"),
        ("noise", "random-output"),
        ("count", "keeps-state"),
        ("average", "depends-on-batch"),
    ],
)
def test_a_faulty_hallucinator_is_named_by_the_run_and_in_the_report(
    bench: Bench, people: Path, tmp_path: Path, hallucinator: str, name: str, cached: bool
) -> None:
    more = ("--cache", tmp_path / "cache") if cached else ("--no-cache",)
    warnings = warnings_of(bench, people, tmp_path / "run", hallucinator.format(root=people), *more)
    assert [head for warning in warnings if (head := warning.partition(":")[0]) in NAMES] == [name]
    assert bench("report", tmp_path / "run", "--out", tmp_path / "report")[0] == 0
    assert f"{name}:" in (tmp_path / "report" / "report.md").read_text().replace("\\", "")


def test_a_correct_hallucinator_is_not_named_and_is_run_again_once(
    bench: Bench, toys: Any, people: Path, tmp_path: Path
) -> None:
    more = ("--cache", tmp_path / "cache")
    warnings_of(bench, people, tmp_path / "a", "counted:gain=0.9", *more)
    assert sum(toys.hallucinator.faces) == 2 * PEOPLE + 16
    warnings_of(bench, people, tmp_path / "b", "counted:gain=0.9", *more, "--seed", 1)
    assert sum(toys.hallucinator.faces) == 2 * PEOPLE + 16  # what the second pass found is kept with the images


def test_probes_that_are_gallery_images_are_no_finding(bench: Bench, people: Path, tmp_path: Path) -> None:
    for path in (people / "probe").iterdir():
        path.write_bytes((people / "gallery" / path.name).read_bytes())
    warnings = warnings_of(bench, people, tmp_path / "run", "counted:gain=0.9", "--no-cache")
    assert not [warning for warning in warnings if warning.startswith(NAMES)]


@pytest.mark.parametrize("cached", [True, False])
def test_16_probes_are_hallucinated_once_each_and_the_first_16_a_second_time(
    bench: Bench, toys: Any, tmp_path: Path, cached: bool
) -> None:
    root = toys.write(tmp_path / "people", people=8)
    more = ("--cache", tmp_path / "cache") if cached else ("--no-cache",)
    flags = ("--protocol", "toys:people=8", "--recogniser", "pixels", "--data-root", root, "--out", tmp_path / "run")
    code, _, err = bench("run", *flags, "--hallucinator", "counted:gain=0.9", *more)
    assert code == 0, err
    assert sum(toys.hallucinator.faces) == 16 + 16  # embedding, canaries and pictures share one pass
    assert read_member(tmp_path / "run", "out/000015.png")
