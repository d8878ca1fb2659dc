"""Restored faces against their truths: what is measured, what is counted, and that figures follow from the items."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.config import RunConfig
from bench.errors import BenchError, DataError, MissingError, UsageError
from bench.evaluation import rescore
from bench.evaluation.restoration import compare, measure
from bench.evaluation.restoration.figures import figures, figures_of
from bench.evaluation.restoration.measures import LandmarkMeasure, landmark_error, quality
from bench.execution.execute import execute, prepare
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.images import ByteImages, encode_png, resize
from bench.interfaces import PROTOCOLS, EvalProtocol
from bench.metrics.quality import psnr_rgb_db, ssim_rgb_wang
from bench.results import ItemRow
from bench.results.folder import read_run
from bench.studies import RestorationSet
from bench.types import CheckLine, Cut, Media, Outcome

SIDE = 64
FIVE = tuple((x * SIDE, y * SIDE) for x, y in ((0.3, 0.35), (0.7, 0.35), (0.5, 0.55), (0.35, 0.75), (0.65, 0.75)))


def item(key: str, person: str, status: str = "ok", yaw: float = 22.0, **values: str | float) -> ItemRow:
    return ItemRow(key, person, status, "", "", values, {"yaw_deg": yaw})  # type: ignore[arg-type]  # a status


class Fixed(Landmarker):
    """Points that depend on the brightness of the image's corner; none where it is black."""

    def __init__(self) -> None:
        self.image_count = 0

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        self.image_count += len(images)
        return [self._of(int(image[0, 0, 0])) for image in images]

    def _of(self, level: int) -> Landmarks | None:
        if level == 0:
            return None
        points = np.zeros((68, 3), np.float32)
        points[36:42, 0], points[42:48, 0] = 20, 60  # eyes 40 apart
        points[:, 1] += level
        return Landmarks(points, 0, 0, 0, np.empty(0, np.float32), 1.0, 1)


def test_quality_is_that_of_the_named_conventions() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    image = np.clip(truth.astype(int) + rng.integers(-9, 10, truth.shape), 0, 255).astype(np.uint8)
    values = quality(truth, image)
    error = np.mean((truth.astype(float) - image) ** 2)
    assert values["psnr_rgb_db"] == pytest.approx(10 * math.log10(255**2 / error))
    assert set(values) == {"psnr_rgb_db", "psnr_y_db", "ssim_rgb_wang", "ssim_y"}
    assert quality(truth, truth) == {"psnr_rgb_db": "inf", "psnr_y_db": "inf", "ssim_rgb_wang": 1.0, "ssim_y": 1.0}


def test_landmark_error_is_a_share_of_the_distance_of_the_eyes() -> None:
    truth = np.zeros((68, 2), np.float32)
    truth[36:42, 0], truth[42:48, 0] = 10, 50
    result = truth + np.array([3, 4], np.float32)  # every point 5 pixels off, eyes 40 apart
    assert landmark_error(truth, result) == pytest.approx(5 / 40)
    assert math.isnan(landmark_error(np.zeros((68, 2), np.float32), result))


def test_landmarks_are_detected_once_per_truth_and_misses_are_counted() -> None:
    engine = Fixed()
    tool = LandmarkMeasure(engine)
    level = [np.full((8, 8, 3), value, np.uint8) for value in (0, 10, 14)]
    path = Path("truth.png")
    assert tool.compare(path, None, level[1], level[2]) == {"landmarks_found": 1.0, "landmark_error": 4 / 40}
    assert tool.compare(path, None, level[1], level[0]) == {"landmarks_found": 0.0}
    assert engine.image_count == 3
    assert tool.compare(path, Cut(frame=1), level[0], level[1]) == {}
    assert tool.notes() == ("No landmarks were found in the truths of 1 faces.",)


def test_undetected_landmarks_of_truths_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object, **options: object) -> Landmarker:
        raise MissingError("no engine here.\nInstall it.")

    monkeypatch.setattr("bench.faces.landmarks.mediapipe.FaceLandmarker", missing)
    tool = LandmarkMeasure()
    image = np.zeros((8, 8, 3), np.uint8)
    assert tool.compare(Path("t"), None, image, image) == {}
    assert tool.notes() == ("Landmarks were not measured: no engine here.",)


def test_means_are_over_finite_values_and_the_others_are_counted() -> None:
    items = [
        item("a", "1", psnr_rgb_db=20.0, landmarks_found=1.0, landmark_error=0.1),
        item("b", "1", psnr_rgb_db="inf", landmarks_found=0.0, yaw=-22.0),
        item("c", "2", psnr_rgb_db=26.0, landmarks_found=1.0, landmark_error=0.3, yaw=-75.0),
        item("d", "2", "failed", yaw=75.0),
        item("e", "3", "fallback", psnr_rgb_db=29.0),
    ]
    result = figures_of(items, seed=0)
    assert (result["psnr_db"].value, result["psnr_db"].n, result["psnr_db"].unit) == (25.0, 3, "dB")
    assert result["psnr_db (yaw 22)"].value == 24.5
    assert result["psnr_db (yaw 75)"].value == 26.0
    assert result["psnr_db (yaw 75)"].low is None  # one identity only
    assert result["infinite_psnr"].value == 1 and result["infinite_psnr"].unit == "count"
    assert (result["failed_faces"].value, result["failed_faces"].n) == (1, 5)
    rate = result["landmarks_found"]  # of four: the failed one is a miss, the one never looked for has no part
    assert (rate.value, rate.n, rate.without_failures, rate.n_without_failures) == (0.5, 4, 2 / 3, 3)
    assert result["landmark_error"].value == pytest.approx(0.2)
    assert "ssim" not in result and "lpips" not in result
    low, high = result["psnr_db"].low, result["psnr_db"].high
    assert low is not None and high is not None and 20 <= low < 25 < high <= 29


def test_equal_qualities_have_no_interval_and_no_items_are_an_error() -> None:
    result = figures_of([item(str(i), str(i), ssim_rgb_wang=1.0) for i in range(3)], seed=0)
    assert result["ssim"].value == 1 and result["ssim"].low is None
    with pytest.raises(DataError, match="no figures"):
        figures_of([], seed=0)


@pytest.fixture
def study(tmp_path: Path) -> RestorationSet:
    """Four people, two faces each: blocks shrunk to 16 pixels, turned 22 and 75 degrees."""
    faces, truths = [], []
    for person in range(4):
        rng = np.random.default_rng(person)
        truth = resize(rng.integers(0, 256, (8, 8, 3), np.uint8), SIDE, SIDE)
        (tmp_path / f"{person}.png").write_bytes(encode_png(truth))
        for yaw in (-22.0, 75.0):
            key = f"{person}@{yaw:g}"
            path, who = tmp_path / f"{person}.png", str(person)
            small = tuple(((x + 0.5) / 4 - 0.5, (y + 0.5) / 4 - 0.5) for x, y in FIVE)
            faces.append(Media(key, path, "probe", who, key, small, {"yaw_deg": yaw}, Cut(side=16)))
            truths.append(Media(f"truth of {key}", path, "gallery", who, key, FIVE))
    return RestorationSet(tuple(faces), tuple(truths))


@pytest.fixture
def run_on(study: RestorationSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a chain on the study, or on a changed one."""

    def run(chain: str, data: RestorationSet | None = None, **options: Any) -> Any:
        class Small(EvalProtocol):
            dataset, how_to_get, default_align = "small", "", "landmarks"

            def locate(self, root: Path) -> Path:
                return root

            def read(self, root: Path) -> RestorationSet:
                return data or study

            def check(self, root: Path, progress: object = None) -> list[CheckLine]:
                return []

        monkeypatch.setattr(PROTOCOLS, "_entries", {n: e for n, e in PROTOCOLS._entries.items() if n != "small"})
        for module in (compare, measure):
            monkeypatch.setattr(module, "landmark_measure", lambda: LandmarkMeasure(Fixed()))
        PROTOCOLS.register("small", summary="", source="")(Small)
        config = RunConfig(
            protocol="small", data_root=tmp_path, hallucinator=chain, recogniser="sface", out=tmp_path / "run",
            **options,
        )  # fmt: skip
        return execute(prepare(config))[0]

    return run


def test_a_run_measures_each_face_and_figures_follow_from_its_items(
    run_on: Callable[..., Any], study: RestorationSet, tmp_path: Path
) -> None:
    result = run_on("bicubic")
    assert [row.key for row in result.items] == [face.key for face in study.faces]
    from bench.pipeline.reader import open_media

    truth = open_media(study.truths[0])
    restored = resize(open_media(study.faces[0]), 128, 128)  # 8 times larger, then brought to the truth's size
    expected = resize(restored, SIDE, SIDE)
    assert result.items[0].values["psnr_rgb_db"] == pytest.approx(psnr_rgb_db(truth, expected))
    assert result.items[0].values["ssim_rgb_wang"] == pytest.approx(ssim_rgb_wang(truth, expected))
    assert 0 < float(result.items[0].values["identity_similarity"]) <= 1
    assert any("8 outputs were resized from 128 x 128 to 64 x 64 pixels" in w for w in result.record.warnings)
    assert result.record.protocol["kind"] == "restoration" and result.record.protocol["items"] == "faces"
    stored = read_run(tmp_path / "run")
    assert figures(stored) == dict(result.record.metrics)
    assert rescore(stored).record.metrics == result.record.metrics
    assert {"psnr_db", "psnr_db (yaw 22)", "psnr_db (yaw 75)", "identity_similarity"} <= set(result.record.metrics)


def test_a_face_equal_to_its_truth_has_an_infinite_psnr_and_similarity_one(
    run_on: Callable[..., Any], study: RestorationSet
) -> None:
    whole = replace(study, faces=tuple(replace(m, cut=None, landmarks=FIVE) for m in study.faces))
    result = run_on("none", whole)
    assert {row.values["psnr_rgb_db"] for row in result.items} == {"inf"}
    assert result.record.metrics["infinite_psnr"].value == 8
    assert "psnr_db" not in result.record.metrics
    assert result.record.metrics["identity_similarity"].value == pytest.approx(1)


def test_faces_and_truths_that_are_absent_fail_and_are_counted(
    run_on: Callable[..., Any], study: RestorationSet, tmp_path: Path
) -> None:
    faces = (replace(study.faces[0], path=tmp_path / "absent.png"), *study.faces[1:])
    truths = (*study.truths[:-1], replace(study.truths[-1], path=tmp_path / "absent.png"))
    result = run_on("none", replace(study, faces=faces, truths=truths))
    outcomes = {row.key: Outcome(row.status, row.stage, row.reason) for row in result.items if row.status != "ok"}
    assert outcomes == {
        study.faces[0].key: Outcome("failed", "decode", "file not found"),
        study.faces[-1].key: Outcome("failed", "truth", "file not found"),
    }
    assert not result.items[0].values
    assert result.record.metrics["failed_faces"].value == 2
    assert result.record.metrics["psnr_db"].n == 6
    assert result.record.ledger["probe"].failed == 1 and result.record.ledger["gallery"].failed == 1


def test_a_run_without_any_face_and_one_that_hallucinates_truths_are_refused(
    run_on: Callable[..., Any], study: RestorationSet, tmp_path: Path
) -> None:
    lost = replace(study, faces=tuple(replace(m, path=tmp_path / "absent.png") for m in study.faces))
    with pytest.raises(BenchError, match="None of 8 faces could be compared .decode: file not found"):
        run_on("none", lost)
    with pytest.raises(UsageError, match="--hallucinate probe"):
        run_on("bicubic", hallucinate="both")
