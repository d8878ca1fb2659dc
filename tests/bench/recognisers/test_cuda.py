"""Recognisers, and MTCNN, on a CUDA device: what a processor gives but for rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.images import resize
from bench.interfaces import ALIGNERS, RECOGNISERS, Recogniser
from bench.registry import load_plugins

torch = pytest.importorskip("torch")

from bench.recognisers.published.adaface_ir import AdaFaceIR  # noqa: E402  # needs torch
from bench.recognisers.published.iresnet import IResNet  # noqa: E402
from tests.bench.modules.networks import write_networks  # noqa: E402

load_plugins()


@pytest.fixture
def cuda() -> str:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return "cuda"


TRIED = ("adaface", "arcface", "dlib", "facenet", "magface", "sphereface", "torch")


def arguments_of(name: str, folder: Path) -> dict[str, Any]:
    """Arguments with weights for the networks whose published ones come with no package: drawn by torch's generator."""
    torch.manual_seed(0)
    path = folder / "weights.pth"
    if name == "sphereface":
        from bench.recognisers.networks.sphereface_net import SphereFace20

        torch.save(SphereFace20().state_dict(), path)
    elif name == "facenet":
        network = pytest.importorskip("facenet_pytorch").InceptionResnetV1(classify=True, num_classes=8631)
        torch.save(network.state_dict(), path)
    elif name == "torch":
        return {"module": f"{write_networks(folder)}:Embedder"}
    elif name == "adaface":
        torch.save(AdaFaceIR(8).state_dict(), path)
    elif name in ("arcface", "magface"):
        torch.save(IResNet((2, 2, 2, 2), eps=1e-5).state_dict(), path)
    else:
        missing = RECOGNISERS[name].missing
        if missing and (why := missing()):
            pytest.skip(why)
        return {}
    return {"weights": path}


def cosines(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)


def test_every_recogniser_that_takes_a_device_is_tried_here() -> None:
    taking = {entry.name for entry in RECOGNISERS if "device" in {argument.name for argument in entry.arguments()}}
    assert taking == set(TRIED)


@pytest.mark.parametrize("name", TRIED)
def test_a_gpu_embeds_as_a_processor_does(name: str, cuda: str, tmp_path: Path) -> None:
    given = arguments_of(name, tmp_path)
    here: Recogniser = RECOGNISERS[name].create({**given, "device": "cpu"})
    there: Recogniser = RECOGNISERS[name].create({**given, "device": cuda})
    small = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), np.uint8)
    chips = np.stack([resize(chip, here.face.height, here.face.width) for chip in small])
    result = there.embed(chips)
    assert result.dtype == np.float32 and result.shape == (5, here.embedding_size)
    assert cosines(result, here.embed(chips)).min() > 0.999


def test_mtcnn_finds_the_same_points_on_a_gpu(cuda: str) -> None:
    missing = ALIGNERS["mtcnn"].missing
    if missing and (why := missing()):
        pytest.skip(why)
    data = pytest.importorskip("skimage.data")
    try:
        portrait = np.ascontiguousarray(data.astronaut()[20:220, 125:325])
    except Exception as error:
        pytest.skip(f"scikit-image's portrait is not here: {error}")
    (here,) = ALIGNERS["mtcnn"].create({}).find([portrait])  # type: ignore[attr-defined]
    (there,) = ALIGNERS["mtcnn"].create({"device": cuda}).find([portrait])  # type: ignore[attr-defined]
    np.testing.assert_allclose(there, here, atol=0.5)
