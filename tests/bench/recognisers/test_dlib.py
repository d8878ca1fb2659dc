from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.align.templates import DLIB_150
from bench.errors import ContractError, DataError, MissingError
from bench.images import resize
from bench.interfaces import RECOGNISERS
from bench.recognisers import dlib as dlib_recogniser
from bench.recognisers.dlib import Dlib

MODEL = dlib_recogniser.package_file(dlib_recogniser._PACKAGE, dlib_recogniser._FILE)
if MODEL is None:
    pytest.skip("face-recognition-models, which carries dlib's weights, is not installed", allow_module_level=True)


def smooth_chips(count: int) -> np.ndarray:
    small = np.random.default_rng(3).integers(0, 256, (count, 12, 12, 3), dtype=np.uint8)
    return np.stack([resize(chip, 150, 150) for chip in small])


@pytest.fixture(scope="module")
def recogniser() -> Dlib:
    return Dlib(threads=1)


def test_torch_gives_dlibs_own_descriptor(recogniser: Dlib) -> None:
    pytest.importorskip("dlib")
    chips = smooth_chips(4)
    chips[3] = np.random.default_rng(4).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    theirs = RECOGNISERS["dlib"].create({"engine": "dlib"}).embed(chips)
    ours = recogniser.embed(chips)
    assert theirs.dtype == ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_row_depends_on_its_own_chip_alone(recogniser: Dlib) -> None:
    chips = smooth_chips(17)
    together = recogniser.embed(chips)
    alone = np.concatenate([recogniser.embed(chips[i : i + 1]) for i in range(17)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert together.shape == (17, 128)


def test_gradients_reach_the_image_and_the_weights_are_frozen() -> None:
    torch = pytest.importorskip("torch")
    from bench.recognisers.networks.dlib_net import DlibNet

    network = DlibNet.from_file(MODEL)
    faces = torch.full((1, 3, 150, 150), 100.0, requires_grad=True)
    network(faces).square().sum().backward()
    assert faces.grad is not None
    assert faces.grad.abs().max() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_template_is_dlibs_mean_face_with_its_padding() -> None:
    # nose: x = 150 (0.25 + 0.490127) / 1.5, y = 150 (0.25 + 0.515625) / 1.5
    assert DLIB_150.points[2] == pytest.approx((74.01, 76.56), abs=0.02)
    eyes, mouth = DLIB_150.points[:2], DLIB_150.points[3:]
    assert eyes[1][0] - eyes[0][0] > 50
    assert mouth[0][1] > DLIB_150.points[2][1] > eyes[0][1]


def test_dlib_itself_puts_a_face_where_the_template_says() -> None:
    """dlib cuts its chip by five points; the points of its 68-point mean face must then stand at the template."""
    dlib = pytest.importorskip("dlib")
    # the 5-point mean face in dlib's order (outer and inner corner of each eye, nose base), on a face of 200 pixels
    mean = ((0.8596, 0.2135), (0.6461, 0.2290), (0.1206, 0.2137), (0.3341, 0.2291), (0.4901, 0.6278))
    parts = dlib.points([dlib.point(round(50 + 200 * x), round(50 + 200 * y)) for x, y in mean])
    image = np.zeros((300, 300, 3), np.uint8)
    x, y = 50 + 200 * 0.4901, 50 + 200 * 0.5156  # the nose tip, point 30 of 68
    image[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4] = 255
    shape = dlib.full_object_detection(dlib.rectangle(50, 50, 250, 250), parts)
    chip = dlib.get_face_chip(image, shape, size=150, padding=0.25)
    rows, columns = np.nonzero(chip[..., 0] > 128)
    assert (columns.mean(), rows.mean()) == pytest.approx(DLIB_150.points[2], abs=1.5)


def test_chips_of_another_size_break_the_contract(recogniser: Dlib) -> None:
    with pytest.raises(ContractError, match="dlib was given"):
        recogniser.embed(np.zeros((1, 112, 112, 3), np.uint8))


@pytest.mark.parametrize("engine", ["torch", "dlib"])
@pytest.mark.parametrize("kept", [0, 400, 1_000_000])
def test_a_truncated_file_is_a_data_error(tmp_path: Path, engine: str, kept: int) -> None:
    if engine == "dlib":
        pytest.importorskip("dlib")
    path = tmp_path / "model.dat"
    path.write_bytes(MODEL.read_bytes()[:kept])
    with pytest.raises(DataError, match="model.dat"):
        RECOGNISERS["dlib"].create({"weights": path, "engine": engine}).embed(smooth_chips(1))


def test_another_dlib_file_is_distinguished(tmp_path: Path) -> None:
    path = tmp_path / "model.dat"
    data = MODEL.read_bytes()
    path.write_bytes(data.replace(b"\x05relu_", b"\x05prelu", 1))
    with pytest.raises(DataError, match="not dlib's face recognition network"):
        Dlib(weights=path).embed(smooth_chips(1))


def test_an_absent_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="does not exist"):
        Dlib(weights=tmp_path / "absent.dat")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlib_recogniser, "_PACKAGE", "no_such_package")
    assert "pip install" in (dlib_recogniser._missing() or "")
    with pytest.raises(MissingError, match="face-recognition-models"):
        Dlib()
