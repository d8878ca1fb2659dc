from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bench.errors import ContractError, DataError, MissingError
from bench.interfaces import RECOGNISERS
from bench.recognisers import sface
from bench.recognisers.sface import SFace

MODEL = sface.MODEL


@pytest.fixture(scope="module")
def recogniser() -> SFace:
    return SFace(threads=1)


def smooth_chips(count: int) -> np.ndarray:
    from bench.images import resize

    generator = np.random.default_rng(5)
    small = generator.integers(0, 256, (count, 14, 14, 3), dtype=np.uint8)
    return np.stack([resize(chip, 112, 112) for chip in small])


def without_unread_inputs() -> bytes:
    """The file as published, less the 29 inputs that no node reads."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(MODEL))
    image = model.graph.input[0]
    assert len(model.graph.input) > 29
    del model.graph.input[:]
    model.graph.input.extend([image])
    serialised: bytes = model.SerializeToString()
    return serialised


def test_embeddings_equal_those_of_opencvs_own_recogniser(recogniser: SFace, tmp_path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "FaceRecognizerSF"):
        pytest.skip("this OpenCV has no FaceRecognizerSF")
    path = tmp_path / "sface.onnx"
    path.write_bytes(without_unread_inputs())
    chips = smooth_chips(3)
    try:
        reference = cv2.FaceRecognizerSF.create(str(path), "")
        theirs = [reference.feature(np.ascontiguousarray(chip[..., ::-1])) for chip in chips]  # takes BGR
    except cv2.error as error:
        pytest.skip(f"this OpenCV cannot run the 8-bit SFace file: {error.err}")
    np.testing.assert_allclose(recogniser.embed(chips), np.concatenate(theirs), atol=1e-4)


def test_embeddings_equal_those_of_the_file_run_as_it_is(recogniser: SFace) -> None:
    """Rewriting the graph changes nothing but rounding."""
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    plain = onnxruntime.InferenceSession(without_unread_inputs(), options, providers=["CPUExecutionProvider"])
    chips = smooth_chips(3)
    inputs = chips.transpose(0, 3, 1, 2).astype(np.float32)  # RGB, 0..255
    expected = np.concatenate([plain.run(None, {"data": inputs[i : i + 1]})[0] for i in range(3)])
    np.testing.assert_allclose(recogniser.embed(chips), expected, atol=2e-5)


def test_a_row_depends_on_its_own_chip_alone(recogniser: SFace) -> None:
    chips = smooth_chips(11)
    together = recogniser.embed(chips)
    alone = np.concatenate([recogniser.embed(chips[i : i + 1]) for i in range(11)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together.shape == (11, 128)
    assert recogniser.execution()["batch"] == "8 images a call", "the batch axis was not freed"
    assert together.dtype == np.float32


def test_swapped_channels_give_another_embedding(recogniser: SFace) -> None:
    chips = smooth_chips(1)
    assert np.abs(recogniser.embed(chips) - recogniser.embed(chips[..., ::-1])).max() > 0.01


@pytest.mark.parametrize(
    "chips",
    [
        np.zeros((1, 112, 96, 3), np.uint8),
        np.zeros((1, 3, 112, 112), np.uint8),
        np.zeros((112, 112, 3), np.uint8),
        np.zeros((0, 112, 112, 3), np.uint8),
        np.zeros((1, 112, 112, 3), np.float32),
    ],
)
def test_chips_of_another_shape_or_type_are_refused(recogniser: SFace, chips: np.ndarray) -> None:
    with pytest.raises(ContractError, match="sface was given .* it takes uint8"):
        recogniser.embed(chips)


def test_the_weights_are_named_and_hashed_without_a_path(recogniser: SFace) -> None:
    import hashlib

    (weights,) = recogniser.weights
    assert weights.name == "face_recognition_sface_2021dec_int8bq.onnx"
    assert weights.sha256 == hashlib.sha256(MODEL.read_bytes()).hexdigest()


def test_an_absent_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="nowhere.onnx, which does not exist"):
        RECOGNISERS["sface"].create({"weights": str(tmp_path / "nowhere.onnx")})


def test_without_its_file_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sface, "MODEL", tmp_path / "absent.onnx")
    assert "weights=PATH" in (sface._missing() or "")
    with pytest.raises(MissingError, match="weights=PATH"):
        SFace()


def test_the_file_that_ships_is_the_published_one_and_its_card_names_its_digest() -> None:
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert digest == "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
    assert digest in MODEL.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x07"])
def test_a_damaged_weights_file_is_a_data_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged.onnx"):
        SFace(weights=path).embed(np.zeros((1, 112, 112, 3), np.uint8))


def test_a_truncated_weights_file_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "truncated.onnx"
    path.write_bytes(MODEL.read_bytes()[:100_000])
    with pytest.raises(DataError, match="truncated"):
        SFace(weights=path).embed(np.zeros((1, 112, 112, 3), np.uint8))
