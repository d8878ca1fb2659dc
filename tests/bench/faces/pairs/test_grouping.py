"""Packs with groups: what is joined is in one part, what is near an excluded set does not train, all of it recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.align.templates import ARCFACE_112
from bench.errors import DataError, UsageError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.pairs.describe import Describer, describe_photographs, made_by
from bench.faces.pairs.grouping import Grouping, groups_table
from bench.faces.pairs.groups import Descriptions
from bench.faces.pairs.pack import Pack, PackSummary, pack, photographs
from bench.faces.people.model import People
from bench.images import ByteImages, FloatImages, encode_png
from bench.interfaces import Recogniser
from bench.types import WeightsFile

PEOPLE = 30


class Known(Landmarker):
    """Knows the points of drawn people: all stand alike."""

    def __init__(self) -> None:
        self._landmarks = People().photograph(0, "neutral", 1.0)[1]

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._landmarks if image.any() else None for image in images]


class Colours(Recogniser):
    """Sees the chip's colours in 4 x 4 fields, far apart for two drawn people."""

    face = ARCFACE_112
    embedding_size = 48

    def __init__(self, digest: str = "a" * 64) -> None:
        self.weights = (WeightsFile("colours", digest, None),)

    def embed(self, chips: ByteImages) -> FloatImages:
        fields = chips.reshape(len(chips), 4, 28, 4, 28, 3).mean((2, 4)).reshape(len(chips), -1)
        return np.asarray((fields - fields.mean(1, keepdims=True)) / 8, np.float32)


def recognisers(digest: str = "a" * 64) -> dict[str, Recogniser]:
    return {"sface": Colours(digest), "dlib": Colours(digest)}


def draw(folder: Path, numbers: Sequence[int], name: str = "{:02d}.png") -> None:
    """Photographs of people by number, each of its own noise, so that no two are near."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        noise = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
        image = np.kron(noise, np.ones((22, 22, 1), np.uint8))[:128, :128]
        (folder / name.format(number)).write_bytes(encode_png(image))


def packed(folder: Path, out: Path, **given: object) -> tuple[PackSummary, Pack]:
    grouping = replace(Grouping(Describer(recognisers())), **given)  # type: ignore[arg-type]
    summary = pack(photographs(folder), out, Known(), grouping=grouping)
    return summary, Pack(out)


def test_a_pack_holds_digests_groups_parts_and_their_record(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(PEOPLE))
    (tmp_path / "in" / "copy.png").write_bytes((tmp_path / "in" / "03.png").read_bytes())
    (tmp_path / "in" / "00-bad.png").write_bytes(b"junk")
    summary, result = packed(tmp_path / "in", tmp_path / "out.npz")
    assert result.groups is not None and result.split() == "by groups of bytes, phash, recognisers"
    record = result.groups.record
    assert summary.groups == record and record["pairs"]["bytes"] == 1
    assert (record["photographs"], record["groups"], record["largest"]) == (PEOPLE + 1, PEOPLE, 2)
    first, second = result.names.index("03.png"), result.names.index("copy.png")
    assert result.groups.group[first] == result.groups.group[second] and result.part[first] == result.part[second]
    assert sum(part["photographs"] for part in record["parts"].values()) == PEOPLE + 1 == len(result.part)
    assert summary.train == (result.part == "train").sum() == len(result.indices(test=False))
    assert {len(result.described().sha256), len(result.described().embeddings["dlib"])} == {PEOPLE + 1}
    assert any("31 photographs in 30 groups; largest 2" in line for line in groups_table(record))


def test_sealed_faces_are_never_among_those_left_out_to_look_at(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(PEOPLE))
    partition = ["test"] * 10 + ["validation"] * 10 + ["train"] * 10
    result = packed(tmp_path / "in", tmp_path / "out.npz", partition=partition)[1]
    assert result.part_indices("sealed").tolist() == list(range(10))
    assert result.indices(test=True).tolist() == list(range(10, 20))
    assert result.indices(test=False).tolist() == list(range(20, 30))


def test_labels_and_parts_stay_with_their_photographs_when_others_are_rejected(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(4))
    (tmp_path / "in" / "00.png").write_bytes(b"junk")
    labels, partition = ["nobody", "ann", "bob", "ann"], ["", "test", "train", ""]
    result = packed(tmp_path / "in", tmp_path / "out.npz", identities=labels, partition=partition)[1]
    assert result.groups is not None and result.groups.identity.tolist() == ["ann", "bob", "ann"]
    assert result.part.tolist() == ["sealed", "train", "sealed"]
    assert result.groups.record["people"] == 2 and result.groups.record["published_parts"]


def test_photographs_near_an_excluded_set_leave_training_with_their_group_and_person(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(6))
    draw(tmp_path / "test", [2])
    others = describe_photographs(photographs(tmp_path / "test"), Known(), recognisers())
    labels, partition = ["a", "b", "c", "c", "d", "e"], ["train"] * 6
    summary, result = packed(
        tmp_path / "in", tmp_path / "out.npz", identities=labels, partition=partition, excluded={"test": others}
    )
    assert result.part.tolist() == ["train", "train", "excluded", "excluded", "train", "train"]
    assert summary.groups is not None
    assert summary.groups["excluded"]["test"] == {
        "photographs": 1,
        "near": {"bytes": 1, "phash": 1, "recognisers": 1},
        "left_out": 2,
    }
    assert any("near test (1 photographs): 2" in line for line in groups_table(summary.groups))


def test_the_same_face_at_another_size_is_near_by_hash_and_recognisers_not_by_bytes(tmp_path: Path) -> None:
    import cv2

    from bench.images import read_image

    draw(tmp_path / "in", range(3))
    image = read_image(tmp_path / "in" / "01.png")
    (tmp_path / "test").mkdir()
    again = cv2.GaussianBlur(image, (3, 3), 0.6)
    (tmp_path / "test" / "x.png").write_bytes(encode_png(np.asarray(again, np.uint8)))
    others = describe_photographs(photographs(tmp_path / "test"), Known(), recognisers())
    result = packed(tmp_path / "in", tmp_path / "out.npz", partition=["train"] * 3)[1]
    assert result.groups is not None
    near, counts = result.groups.near(others)
    assert counts == {"bytes": 0, "phash": 1, "recognisers": 1} and near.tolist() == [False, True, False]


def test_what_is_excluded_leaves_train_and_stays_sealed_where_it_is_sealed(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(3))
    result = packed(tmp_path / "in", tmp_path / "out.npz", partition=["train", "test", "train"])[1]
    assert result.exclude(np.array([True, True, False])) == 1
    assert result.part.tolist() == ["excluded", "sealed", "train"] and result.test.tolist() == [True, True, False]


def test_a_pack_grouped_without_recognisers_says_so_and_needs_none(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(3))
    given = {"describer": Describer(), "rules": ("bytes", "phash")}
    result = packed(tmp_path / "in", tmp_path / "out.npz", **given)[1]
    assert result.split() == "by groups of bytes, phash" and result.described().embeddings == {}


def test_an_excluded_set_of_other_weights_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(2))
    others = describe_photographs(photographs(tmp_path / "in"), Known(), recognisers("b" * 64))
    with pytest.raises(UsageError, match="other weights"):
        packed(tmp_path / "in", tmp_path / "out.npz", excluded={"x": others})


def test_an_old_pack_opens_says_its_split_and_has_the_validation_faces_it_had(tmp_path: Path) -> None:
    draw(tmp_path / "in", range(PEOPLE))
    pack(photographs(tmp_path / "in"), tmp_path / "now.npz", Known())
    with np.load(tmp_path / "now.npz") as archive:
        np.savez(tmp_path / "then.npz", **{**archive, "version": np.array(3)})
    result = Pack(tmp_path / "then.npz")
    assert result.groups is None and result.split() == "by file name"
    test_rows = np.flatnonzero(result.test)
    assert result.indices(test=True).tolist() == test_rows.tolist()
    assert result.part_indices("validation").tolist() == test_rows[::8].tolist()
    assert len(result.part_indices("sealed")) == 0
    with pytest.raises(UsageError, match="Pack again"):
        result.described()


@pytest.mark.parametrize("broken", [{"group": np.zeros(1, np.int64)}, {"part": np.array(["train", "all", "train"])}])
def test_a_pack_whose_groups_do_not_fit_its_faces_is_damaged(tmp_path: Path, broken: dict[str, np.ndarray]) -> None:
    draw(tmp_path / "in", range(3))
    packed(tmp_path / "in", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as archive:
        np.savez(tmp_path / "bad.npz", **{**archive, **broken})
    with pytest.raises(DataError, match=r"bad.npz is not a pack"):
        Pack(tmp_path / "bad.npz")


def test_a_photograph_without_a_face_is_described_by_bytes_and_hash_alone(tmp_path: Path) -> None:
    tmp_path.joinpath("a.png").write_bytes(encode_png(np.zeros((64, 64, 3), np.uint8)))
    tmp_path.joinpath("b.png").write_bytes(b"junk")
    result: Descriptions = describe_photographs(photographs(tmp_path), Known(), recognisers())
    assert len(result) == 1 and np.isnan(result.embeddings["sface"]).all()
    assert result.made_by == {name: made_by(one) for name, one in recognisers().items()}
