"""`--flip` and `--fusion`: rules of the user instead of the rules of the protocol."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.images import read_image, resize
from bench.results.folder import read_run

Bench = Callable[..., tuple[int, str, str]]
Run = Callable[..., tuple[dict[str, Any], dict[str, float]]]


@pytest.fixture
def run(bench: Bench, toys: Any, toy_root: Path, tmp_path: Path) -> Run:
    """Run a protocol on the toys; its record, and the best mated score of each probe."""

    def call(protocol: str, *flags: object) -> tuple[dict[str, Any], dict[str, float]]:
        (toy_root / "games.txt").touch()
        out = tmp_path / f"run-{len(list(tmp_path.iterdir()))}"
        code, _, err = bench(
            "run", "--protocol", protocol, "--data-root", toy_root, "--recogniser", "pixels", "--out", out, *flags
        )
        assert code == 0, err
        scores = {row.key: row.best_mated_score for row in read_run(out).probes}
        return json.loads((out / "run.json").read_text()), scores  # type: ignore[return-value]

    return call


def vector(path: Path, *, mirrored: bool = False) -> np.ndarray:
    """What the recogniser gives, by hand: 16 x 16 chip by OpenCV's bicubic, shrunk to 4 x 4."""
    import cv2

    chip = cv2.resize(read_image(path), (16, 16), interpolation=cv2.INTER_CUBIC)
    chip = np.ascontiguousarray(chip[:, ::-1]) if mirrored else chip
    return resize(chip, 4, 4).astype(np.float64).ravel() - 100


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def unit(a: np.ndarray) -> np.ndarray:
    return a / np.linalg.norm(a)


@pytest.mark.parametrize(("fusion", "fuse"), [("mean", lambda a, b: a + b), ("unit", lambda a, b: unit(a) + unit(b))])
def test_the_fusion_named_is_the_one_done_and_recorded(run: Run, toy_root: Path, fusion: str, fuse: Any) -> None:
    record, scores = run("toys:joined=true", "--fusion", fusion)
    assert (record["config"]["fusion"], record["protocol"]["fusion"]) == (fusion, fusion)
    for person in range(4):
        template = fuse(*(vector(toy_root / f"gallery/{person}_{k}.png") for k in range(2)))
        expected = cosine(vector(toy_root / f"probe/{person}_0.png"), template)
        assert scores[f"probe/{person}_0"] == pytest.approx(expected, abs=1e-5)


def test_the_flip_named_is_the_one_done_and_recorded(run: Run, toy_root: Path) -> None:
    record, scores = run("toys", "--flip", "sum")
    assert (record["config"]["flip"], record["protocol"]["flip"]) == ("sum", "sum")
    for person in range(4):
        paths = [
            toy_root / f"{folder}.png" for folder in (f"probe/{person}_0", f"gallery/{person}_0", f"gallery/{person}_1")
        ]
        probe, *mates = (vector(path) + vector(path, mirrored=True) for path in paths)
        assert scores[f"probe/{person}_0"] == pytest.approx(max(cosine(probe, mate) for mate in mates), abs=1e-5)


def test_none_is_a_flip_and_not_the_protocol_s_own(run: Run) -> None:
    record, flipped = run("games")
    assert (record["config"]["flip"], record["protocol"]["flip"]) == (None, "sum")
    record, scores = run("games", "--flip", "none")
    assert (record["config"]["flip"], record["protocol"]["flip"]) == ("none", "none")
    assert scores == run("toys")[1]
    assert scores != flipped


def test_what_was_named_is_part_of_the_request_and_the_protocol_s_own_changes_nothing(run: Run) -> None:
    digests = {
        flags: run("toys:joined=true", *flags)[0]["config_digest"]
        for flags in ((), ("--fusion", "mean"), ("--fusion", "unit"), ("--flip", "none"), ("--flip", "mean"))
    }
    assert digests[()] == digests["--fusion", "mean"] == digests["--flip", "none"]
    assert len(set(digests.values())) == 3


def test_an_unknown_rule_is_refused_with_those_there_are(bench: Bench, toys: Any) -> None:
    code, _, err = bench("run", "--protocol", "toys", "--flip", "twice", "--fusion", "sum")
    assert code == 2
    assert "'twice' is none of none, sum, mean" in err
    assert "'sum' is none of mean, unit, media" in err
