"""Left-out people: points moved by hand, a hallucinator that returns the truth, and failures in every figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bench.align.chips import chip_by_points
from bench.align.templates import ARCFACE_112
from bench.errors import DataError, UsageError
from bench.evaluation.heldout import (
    ALIGNMENTS,
    HeldOutEvaluation,
    Probe,
    as_points,
    embed_unit,
    frontal_probe,
    pair_probes,
)
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.pairs.pack import Pack, pack
from bench.faces.pairs.pairs import Jitter, Pair, make_pairs
from bench.faces.people.model import People
from bench.images import ByteImages, FloatImages, encode_png, resize, to_float
from bench.interfaces import Hallucinator, Recogniser
from bench.pipeline.build import Built
from bench.pipeline.chain import Chain
from bench.registry import Spec, load_plugins
from bench.types import ImageSpec

PEOPLE = 4


class Known(Landmarker):
    """Knows the points of the photographs it is shown, in order."""

    def __init__(self, detections: Sequence[Landmarks]) -> None:
        self._detections = list(detections)

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._detections.pop(0) for _ in images]


class Pixels(Recogniser):
    """Its embedding is the middle of the chip, shrunk, less its mean: good enough for four drawn people."""

    face = ARCFACE_112
    embedding_size = 16 * 16 * 3

    def embed(self, chips: ByteImages) -> FloatImages:
        small = np.stack([resize(chip[16:-16, 16:-16], 16, 16) for chip in chips]).reshape(len(chips), -1)
        rows: FloatImages = (small - small.mean(1, keepdims=True)).astype(np.float32)
        return rows


class TruthHallucinator(Hallucinator):
    """Knows the truth of every LR image."""

    output_spec = ImageSpec(128)

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._truths = {to_float([pair.lr]).tobytes(): to_float([pair.frontal])[0] for pair in pairs}

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        return np.stack([self._truths[image.tobytes()] for image in lr])


class Noise(Hallucinator):
    """Other noise for every image."""

    output_spec = ImageSpec(128)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        seeds = [int(image.sum() * 1000) for image in lr]
        return np.stack([np.random.default_rng(s).random((3, 128, 128), np.float32) for s in seeds])


class Broken(Hallucinator):
    """Gives what is no number."""

    output_spec = ImageSpec(128)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        return np.full((len(lr), 3, 128, 128), np.nan, np.float32)


@pytest.fixture(scope="module", autouse=True)
def plugins() -> None:
    load_plugins()


def chain_of(component: Hallucinator, name: str) -> Chain:
    return Chain([Built(component, Spec(name), {}, name, "", "")])


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> list[list[Pair]]:
    folder = tmp_path_factory.mktemp("photographs")
    result, people = [], People()
    for i in range(PEOPLE):
        photo, landmarks = people.photograph(i, "neutral", 1.0)
        (folder / f"{i}.png").write_bytes(encode_png(photo))
        result.append(landmarks)
    pack(sorted(folder.glob("*.png")), folder / "faces.npz", Known(result))
    packed = Pack(folder / "faces.npz")
    return [make_pairs(packed, i, yaws_deg=(22, 75), jitter=Jitter(5, 0.03, (0.9, 1))) for i in range(PEOPLE)]


@pytest.fixture(scope="module")
def gallery(faces: list[list[Pair]]) -> FloatImages:
    chips = [
        chip_by_points(pairs_of_face[0].frontal, as_points(pairs_of_face[0].five), Pixels.face, without="")[0]
        for pairs_of_face in faces
    ]
    return embed_unit(Pixels(), np.stack(chips))


@pytest.fixture(scope="module")
def evaluation(faces: list[list[Pair]], plugins: None) -> HeldOutEvaluation:
    pairs = [pair for pairs_of_face in faces for pair in pairs_of_face]
    chains = {
        "none": Chain.parse("none"),
        "bicubic": Chain.parse("bicubic"),
        "truth": chain_of(TruthHallucinator(pairs), "truth"),
        "noise": chain_of(Noise(), "noise"),
        "broken": chain_of(Broken(), "broken"),
    }
    whole = HeldOutEvaluation(chains, Pixels(), batch_size=3)
    for k, pairs_of_face in enumerate(faces):
        whole.add(pair_probes(pairs_of_face, k))
    return whole


def test_the_ground_truth_as_output_is_always_recognised_and_equals_the_truth(
    evaluation: HeldOutEvaluation, gallery: FloatImages
) -> None:
    rates = evaluation.rates(evaluation.search("truth", "frame", gallery))
    assert list(rates) == [f"rank-{k}{part}" for part in ("", " (yaw 22)", " (yaw 75)") for k in (1, 5)]
    assert {figure.value for figure in rates.values()} == {1.0}
    assert [rates[name].n for name in ("rank-1", "rank-1 (yaw 22)", "rank-1 (yaw 75)")] == [16, 8, 8]
    quality = evaluation.quality("truth")
    assert "psnr_db" not in quality
    assert (quality["infinite_psnr"].value, quality["failed_faces"].value) == (16, 0)
    assert quality["ssim"].value == pytest.approx(1)
    assert quality["ssim"].low is None


def test_noise_is_far_below_the_truth_and_below_interpolation(
    evaluation: HeldOutEvaluation, gallery: FloatImages
) -> None:
    noise = evaluation.rates(evaluation.search("noise", "frame", gallery))["rank-1"].value
    bicubic = evaluation.rates(evaluation.search("bicubic", "true", gallery))["rank-1"].value
    assert noise <= 0.5 < bicubic
    assert evaluation.quality("noise")["psnr_db"].value < 12


def test_every_failure_is_a_miss_and_is_counted(evaluation: HeldOutEvaluation, gallery: FloatImages) -> None:
    rates = evaluation.rates(evaluation.search("broken", "frame", gallery))
    assert (rates["rank-1"].value, rates["rank-5"].value) == (0.0, 0.0)
    assert (rates["rank-1"].n, rates["rank-1"].n_without_failures) == (16, 0)
    assert evaluation.count_outcomes("broken", "frame") == {"failed: hallucinate: output not finite": 16}
    quality = evaluation.quality("broken")
    assert "psnr_db" not in quality
    assert (quality["failed_faces"].value, quality["infinite_psnr"].value) == (16, 0)


def test_none_has_the_quality_of_bicubic(evaluation: HeldOutEvaluation) -> None:
    quality = evaluation.quality("none")
    assert quality == evaluation.quality("bicubic")
    assert quality["psnr_db (yaw 22)"].value > quality["psnr_db (yaw 75)"].value


def test_only_chains_that_keep_the_pose_are_aligned_by_the_ground_truth_landmarks(
    evaluation: HeldOutEvaluation,
) -> None:
    by_chain = {name: [how for chain, how in evaluation.embedded if chain == name] for name in evaluation.chains}
    assert by_chain["none"] == by_chain["bicubic"] == ["frame", "true", "none"]
    assert by_chain["truth"] == by_chain["noise"] == ["frame", "none"]


def test_batches_do_not_change_a_figure(
    faces: list[list[Pair]], evaluation: HeldOutEvaluation, gallery: FloatImages
) -> None:
    whole = HeldOutEvaluation({"bicubic": Chain.parse("bicubic")}, Pixels())
    whole.add([probe for k, pairs_of_face in enumerate(faces) for probe in pair_probes(pairs_of_face, k)])
    assert whole.faces["bicubic"] == evaluation.faces["bicubic"]
    for how in ALIGNMENTS:
        assert whole.search("bicubic", how, gallery) == evaluation.search("bicubic", how, gallery)


def test_the_frontal_face_is_recognised_by_its_landmarks_and_when_shrunk(
    faces: list[list[Pair]], gallery: FloatImages
) -> None:
    frontal = HeldOutEvaluation({"bicubic": Chain.parse("bicubic")}, Pixels())
    frontal.add([frontal_probe(pairs_of_face[0], k, 16) for k, pairs_of_face in enumerate(faces)])
    assert frontal.rates(frontal.search("bicubic", "true", gallery))["rank-1"].value == 1.0
    assert frontal.parts() == {"": [0, 1, 2, 3]}


class Fixed(Recogniser):
    """Gives these embeddings, whatever the chips show."""

    face, embedding_size = ARCFACE_112, 2

    def __init__(self, rows: Sequence[tuple[float, float]]) -> None:
        self._rows = np.array(rows, np.float32)

    def embed(self, chips: ByteImages) -> FloatImages:
        rows: FloatImages = self._rows[: len(chips)]
        return rows


def of_people(rows: Sequence[tuple[float, float]], people: Sequence[int]) -> HeldOutEvaluation:
    fixed = HeldOutEvaluation({"none": Chain.parse("none")}, Fixed(rows))
    fixed.add([Probe(person, np.zeros((112, 112, 3), np.uint8), ARCFACE_112.points) for person in people])
    return fixed


def test_ranks_and_rates_by_hand() -> None:
    gallery = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    # the third probe failed, the fourth person's gallery image did
    fixed = of_people([(1, 0), (0.6, 0.8), (np.nan, 0), (1, 0)], [0, 0, 1, 2])
    rows = fixed.search("none", "true", gallery)
    assert [row.rank for row in rows] == [1, 2, None, None]
    rates = fixed.rates(rows)
    assert [(rates[name].value, rates[name].n) for name in ("rank-1", "rank-5")] == [(0.25, 4), (0.5, 4)]
    assert rates["rank-1"].n_without_failures == 2


def test_a_tie_counts_against_the_system() -> None:
    gallery = np.array([[1, 0], [0, 1]], np.float32)
    assert of_people([(1, 1)], [0]).search("none", "true", gallery)[0].rank == 2


def test_embeddings_that_are_zero_or_not_finite_are_failures() -> None:
    odd: list[tuple[float, float]] = [(3, 4), (0, 0), (np.inf, 1)]
    rows = embed_unit(Fixed(odd), np.zeros((3, 112, 112, 3), np.uint8))
    np.testing.assert_array_equal(rows, np.array([[0.6, 0.8], [np.nan] * 2, [np.nan] * 2], np.float32))
    count_outcomes = of_people(odd, [0, 0, 0]).count_outcomes("none", "true")
    assert count_outcomes == {"failed: embed: embedding not finite, or zero": 2, "ok": 1}


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(UsageError, match="at least one chain"):
        HeldOutEvaluation({}, Pixels())
    with pytest.raises(DataError, match="1 of 1 probes have no mate in the gallery"):
        of_people([(1, 1)], [3]).search("none", "true", np.ones((2, 2), np.float32))
    with pytest.raises(DataError, match="No probes to search"):
        of_people([], []).search("none", "true", np.ones((2, 2), np.float32))
