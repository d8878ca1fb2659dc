from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ChangedError, ContractError, DataError, MissingError, UsageError
from bench.interfaces import RECOGNISERS, Recogniser
from tests.bench.recognisers.tflite_graphs import GAINS, chips, means, save

MOBILE_FACE_NET = Path(os.environ.get("BENCH_DATA") or "no-data").parent / "rulers" / "MobileFaceNet.tflite"


def create(path: Path, **arguments: object) -> Recogniser:
    return RECOGNISERS["tflite"].create({"weights": path, "threads": 1, **arguments})


def assert_rows_alone(recogniser: Recogniser, expected: np.ndarray) -> None:
    """Whatever the number of images, each row is that of the image alone."""
    for count in (1, 2, 3, 8, 9, 19):
        np.testing.assert_allclose(recogniser.embed(chips(19)[:count]), expected[:count], atol=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_batch_of_fixed_length_is_filled_up(tmp_path: Path, batch: int) -> None:
    recogniser = create(save(tmp_path / "net.tflite", shape=(batch, 12, 10, 3)))
    assert (recogniser.face.height, recogniser.face.width, recogniser.embedding_size) == (12, 10, 64)
    assert_rows_alone(recogniser, means(chips(19)))
    fact = str(recogniser.execution()["batch"])
    assert fact == ("one image a call: it takes batches of 1" if batch == 1 else f"{batch} images a call")
    assert recogniser.notes() == ()


def test_a_free_batch_takes_eight_images_a_call(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.tflite", signature=(-1, 12, 10, 3)))
    assert_rows_alone(recogniser, means(chips(19)))
    assert recogniser.execution()["batch"] == "8 images a call"


@pytest.mark.parametrize(("batch", "signature"), [(2, None), (4, None), (1, (-1, 12, 10, 3))])
def test_rows_that_mix_are_passed_one_by_one(tmp_path: Path, batch: int, signature: tuple | None) -> None:
    path = save(tmp_path / "net.tflite", shape=(batch, 12, 10, 3), signature=signature, mixes=True)
    recogniser = create(path)
    assert_rows_alone(recogniser, 2 * means(chips(19)))  # the mean of a batch of copies is the row itself
    assert "depends on the other images" in str(recogniser.execution()["batch"])
    assert "training mode" in recogniser.notes()[0]


def test_size_is_required_where_the_file_declares_none(tmp_path: Path) -> None:
    path = save(tmp_path / "net.tflite", signature=(-1, -1, -1, 3))
    with pytest.raises(UsageError, match=r"any size; say which: size=\[112,112\]"):
        create(path)
    recogniser = create(path, size=(20, 16))
    images = chips(3, 20, 16)
    np.testing.assert_allclose(recogniser.embed(images), means(images), atol=1e-4)


def test_a_size_other_than_the_declared_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"size=\[20, 16\] was given; net.tflite takes \[12, 10\]"):
        create(save(tmp_path / "net.tflite"), size=(20, 16))


def test_channels_first_is_read_from_the_file(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.tflite", shape=(2, 3, 12, 10)))
    assert recogniser.execution()["layout"] == "nchw"
    assert_rows_alone(recogniser, means(chips(19)))


def test_colour_and_scaling_are_applied(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.tflite"), colour="bgr", mean=(1.0, 2.0, 3.0), std=(128.0,))
    expected = means(chips(4)[..., ::-1], np.array([1.0, 2.0, 3.0]), 128.0)
    np.testing.assert_allclose(recogniser.embed(chips(4)), expected, atol=1e-4)
    assert recogniser.execution()["scaling"] == "(x - (1, 2, 3)) / 128"
    with pytest.raises(UsageError, match="colour=gray is for networks of one channel"):
        create(save(tmp_path / "net.tflite"), colour="gray")


@pytest.mark.parametrize(("name", "size"), [("embedding", 64), ("0", 64), ("channels", 3), ("1", 3)])
def test_an_output_is_chosen_by_name_or_index(tmp_path: Path, name: str, size: int) -> None:
    path = save(tmp_path / "net.tflite", shape=(2, 12, 10, 3), outputs=("embedding", "channels"))
    recogniser = create(path, output_name=name)
    assert recogniser.embedding_size == size
    expected = means(chips(3), gains=GAINS if size == 64 else np.eye(3))
    np.testing.assert_allclose(recogniser.embed(chips(3)), expected, atol=1e-4)


@pytest.mark.parametrize(("name", "text"), [("", "has 2 outputs"), ("2", "no output '2'"), ("logits", "no output")])
def test_an_output_that_is_not_named_or_not_there_is_a_usage_error(tmp_path: Path, name: str, text: str) -> None:
    path = save(tmp_path / "net.tflite", outputs=("embedding", "channels"))
    with pytest.raises(UsageError, match=text):
        create(path, output_name=name)


def test_an_embedding_of_one_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gives 1 number"):
        create(save(tmp_path / "net.tflite", gains=GAINS[:, :1]))


def test_the_file_is_named_with_its_digest(tmp_path: Path) -> None:
    path = save(tmp_path / "net.tflite")
    (file,) = create(path).weights
    assert (file.name, file.sha256) == ("net.tflite", hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_file_that_changes_before_it_is_used_is_refused(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.tflite"))
    save(tmp_path / "net.tflite", gains=2 * GAINS)
    with pytest.raises(ChangedError):
        recogniser.embed(chips(1))


def test_a_recogniser_goes_to_another_process(tmp_path: Path) -> None:
    recogniser = create(save(tmp_path / "net.tflite"))
    expected = recogniser.embed(chips(3))
    assert np.array_equal(pickle.loads(pickle.dumps(recogniser)).embed(chips(3)), expected)


def test_a_file_that_does_not_exist_is_named() -> None:
    with pytest.raises(MissingError, match=r"nowhere\.tflite, which does not exist"):
        create(Path("nowhere.tflite"))


def test_chips_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="Recogniser tflite"):
        create(save(tmp_path / "net.tflite")).embed(chips(1, 10, 12))


@pytest.mark.skipif(not MOBILE_FACE_NET.is_file(), reason="there is no MobileFaceNet.tflite beside BENCH_DATA")
def test_mobilefacenet_gives_each_row_of_its_batch_of_two_alone() -> None:
    recogniser = create(MOBILE_FACE_NET, mean=(127.5,), std=(128.0,))
    images = chips(5, 112, 112)
    rows = recogniser.embed(images)
    assert rows.shape == (5, 192)
    assert recogniser.execution()["batch"] == "2 images a call"
    for index in range(5):
        np.testing.assert_allclose(recogniser.embed(images[index : index + 1])[0], rows[index], atol=1e-5)
