"""Left-out people: points carried by hand, an oracle that recognises all, and failures that stay in every figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from bench.align.chips import chip_by_points
from bench.align.templates import ARCFACE_112
from bench.errors import DataError, UsageError
from bench.evaluation.heldout import (
    Probe,
    Tally,
    as_points,
    best_ranks,
    embed_unit,
    frontal_probe,
    pair_probes,
    rate,
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

    def __init__(self, found: Sequence[Landmarks]) -> None:
        self._found = list(found)

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._found.pop(0) for _ in images]


class Pixels(Recogniser):
    """Its embedding is the middle of the chip, shrunk, less its mean: good enough for four drawn people."""

    face = ARCFACE_112
    embedding_size = 16 * 16 * 3

    def embed(self, chips: ByteImages) -> FloatImages:
        small = np.stack([resize(chip[16:-16, 16:-16], 16, 16) for chip in chips]).reshape(len(chips), -1)
        rows: FloatImages = (small - small.mean(1, keepdims=True)).astype(np.float32)
        return rows


class Oracle(Hallucinator):
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
    found, people = [], People()
    for i in range(PEOPLE):
        photo, landmarks = people.photograph(i, "neutral", 1.0)
        (folder / f"{i}.png").write_bytes(encode_png(photo))
        found.append(landmarks)
    pack(sorted(folder.glob("*.png")), folder / "faces.npz", Known(found))
    packed = Pack(folder / "faces.npz")
    return [make_pairs(packed, i, yaws_deg=(22, 75), jitter=Jitter(5, 0.03, (0.9, 1))) for i in range(PEOPLE)]


@pytest.fixture(scope="module")
def gallery(faces: list[list[Pair]]) -> FloatImages:
    chips = [chip_by_points(own[0].frontal, as_points(own[0].five), Pixels.face, without="")[0] for own in faces]
    return embed_unit(Pixels(), np.stack(chips))


@pytest.fixture(scope="module")
def tally(faces: list[list[Pair]], plugins: None) -> Tally:
    pairs = [pair for own in faces for pair in own]
    chains = {
        "none": Chain.parse("none"),
        "bicubic": Chain.parse("bicubic"),
        "oracle": chain_of(Oracle(pairs), "oracle"),
        "noise": chain_of(Noise(), "noise"),
        "broken": chain_of(Broken(), "broken"),
    }
    made = Tally(chains, Pixels(), batch_size=3)
    for k, own in enumerate(faces):
        made.add(pair_probes(own, k))
    return made


def test_an_oracle_recognises_everybody_and_equals_the_truth(tally: Tally, gallery: FloatImages) -> None:
    rates = tally.rates(tally.ranks("oracle", "frame", gallery))
    assert {group: row["rank_1"].value for group, row in rates.items()} == {"all": 1.0, "22": 1.0, "75": 1.0}
    assert [row["rank_1"].probes for row in rates.values()] == [16, 8, 8]
    quality = tally.quality("oracle")["all"]
    assert (quality["psnr_db"].value, quality["psnr_db"].infinite, quality["psnr_db"].failed) == (None, 16, 0)
    assert quality["ssim"].value == pytest.approx(1)
    assert quality["ssim"].low is None


def test_noise_is_far_below_the_oracle_and_below_interpolation(tally: Tally, gallery: FloatImages) -> None:
    noise = tally.rates(tally.ranks("noise", "frame", gallery))["all"]["rank_1"].value
    bicubic = tally.rates(tally.ranks("bicubic", "true", gallery))["all"]["rank_1"].value
    assert noise is not None and bicubic is not None
    assert noise <= 0.5 < bicubic
    psnr_db = tally.quality("noise")["all"]["psnr_db"].value
    assert psnr_db is not None and psnr_db < 12


def test_every_failure_is_a_miss_and_is_counted(tally: Tally, gallery: FloatImages) -> None:
    rates = tally.rates(tally.ranks("broken", "frame", gallery))["all"]
    assert (rates["rank_1"].value, rates["rank_5"].value) == (0.0, 0.0)
    assert (rates["rank_1"].probes, rates["rank_1"].failed) == (16, 16)
    assert tally.account("broken", "frame") == {"failed: hallucinate: output not finite": 16}
    quality = tally.quality("broken")["all"]["psnr_db"]
    assert (quality.value, quality.failed, quality.infinite) == (None, 16, 0)


def test_none_is_judged_as_bicubic_is(tally: Tally) -> None:
    assert tally.quality("none") == tally.quality("bicubic")
    values = {group: row["psnr_db"].value for group, row in tally.quality("none").items()}
    assert (values["22"] or 0) > (values["75"] or 0)


def test_only_chains_that_keep_the_pose_are_aligned_by_the_carried_points(tally: Tally) -> None:
    by_chain = {name: [how for chain, how in tally.columns if chain == name] for name in tally.chains}
    assert by_chain["none"] == by_chain["bicubic"] == ["frame", "true", "none"]
    assert by_chain["oracle"] == by_chain["noise"] == ["frame", "none"]


def test_batches_do_not_change_a_figure(faces: list[list[Pair]], tally: Tally) -> None:
    whole = Tally({"bicubic": Chain.parse("bicubic")}, Pixels())
    whole.add([probe for k, own in enumerate(faces) for probe in pair_probes(own, k)])
    assert whole.quality("bicubic") == tally.quality("bicubic")
    for how in ("frame", "true", "none"):
        one, two = whole.columns["bicubic", how], tally.columns["bicubic", how]
        assert np.array_equal(np.stack(one.vectors), np.stack(two.vectors))


def test_the_frontal_face_is_recognised_by_its_frame_points_and_when_shrunk(
    faces: list[list[Pair]], gallery: FloatImages
) -> None:
    made = Tally({"bicubic": Chain.parse("bicubic")}, Pixels())
    made.add([frontal_probe(own[0], k, 16) for k, own in enumerate(faces)])
    assert made.rates(made.ranks("bicubic", "true", gallery))["all"]["rank_1"].value == 1.0
    assert list(made.groups()) == ["all"]


def test_ranks_by_hand() -> None:
    gallery = np.array([[1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    vectors = np.array([[1, 0], [0.6, 0.8], [np.nan, 0], [1, 0]], np.float32)
    # third probe failed, the fourth person's gallery image did; a tie counts against the system
    assert best_ranks(vectors, [0, 0, 1, 2], gallery) == [1, 2, None, None]
    assert best_ranks(np.full((1, 2), 0.5, np.float32), [0], gallery) == [2]


def test_a_rate_counts_misses() -> None:
    figure = rate([1, 3, None, 1], 1, ["a", "b", "c", "d"])
    assert (figure.value, figure.probes, figure.failed) == (0.5, 4, 1)
    assert rate([1, 3, None, 1], 5, ["a", "b", "c", "d"]).value == 0.75


def test_rows_that_are_zero_or_no_number_are_failed() -> None:
    class Odd(Recogniser):
        face, embedding_size = ARCFACE_112, 2

        def embed(self, chips: ByteImages) -> FloatImages:
            return np.array([[3, 4], [0, 0], [np.inf, 1]], np.float32)[: len(chips)]

    rows = embed_unit(Odd(), np.zeros((3, 112, 112, 3), np.uint8))
    np.testing.assert_array_equal(rows, np.array([[0.6, 0.8], [np.nan] * 2, [np.nan] * 2], np.float32))
    made = Tally({"none": Chain.parse("none")}, Odd())
    made.add([Probe(0, np.zeros((112, 112, 3), np.uint8), ARCFACE_112.points) for _ in range(3)])
    assert made.account("none", "true") == {"failed: embed: embedding not finite, or zero": 2, "ok": 1}


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(UsageError, match="at least one chain"):
        Tally({}, Pixels())
    with pytest.raises(DataError, match="cannot be searched"):
        best_ranks(np.ones((1, 2), np.float32), [3], np.ones((2, 2), np.float32))
