"""Weights replaced after a component was built and before it loads them, by others of the same size and date."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.align.yunet import MODEL as YUNET
from bench.checks.toy_faces import draw_face
from bench.errors import ChangedError, ContractError
from bench.images import encode_png
from bench.interfaces import ALIGNERS, HALLUCINATORS, RECOGNISERS, FloatImages, Hallucinator
from bench.pipeline.build import build
from bench.pipeline.cache import Cache
from bench.pipeline.chain import Chain
from bench.pipeline.embedder import Embedder
from bench.recognisers.sface import MODEL as SFACE
from bench.registry import Spec, load_plugins
from bench.types import ImageSpec, Media
from bench.weights import package_file, weights_file

DLIB = "models/dlib_face_recognition_resnet_model_v1.dat"
SHIPPED = Path(__file__).parents[2] / "hallucinators" / "weights"


def swap(path: Path) -> None:
    """Other bytes under the same name, size and date: the last bit is another one."""
    stat, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def shipped(name: str, spec: str) -> Callable[[Path], tuple[Path, Callable[[], Any]]]:
    def make(folder: Path) -> tuple[Path, Callable[[], Any]]:
        path = Path(shutil.copy(SHIPPED / name, folder))
        chain = Chain.parse(spec.format(path))
        return path, lambda: chain.hallucinate([draw_face(0, 0, 16)])

    return make


def recogniser(spec: str, find: Callable[[], Path | None]) -> Callable[[Path], tuple[Path, Callable[[], Any]]]:
    def make(folder: Path) -> tuple[Path, Callable[[], Any]]:
        result = find()
        if result is None:
            pytest.skip("its package is not installed")
        path = Path(shutil.copy(result, folder))
        component = build(RECOGNISERS, Spec.parse(spec.format(path))).component
        return path, lambda: component.embed(np.zeros((1, component.face.height, component.face.width, 3), np.uint8))

    return make


def sphereface(folder: Path) -> tuple[Path, Callable[[], Any]]:
    import torch

    from bench.recognisers.networks.sphereface_net import SphereFace20

    path = folder / "net.pth"
    torch.save(SphereFace20().state_dict(), path)
    component = build(RECOGNISERS, Spec.parse(f"sphereface:weights={path}")).component
    return path, lambda: component.embed(np.zeros((1, 112, 96, 3), np.uint8))


def yunet(folder: Path) -> tuple[Path, Callable[[], Any]]:
    path = Path(shutil.copy(YUNET, folder))
    component = build(ALIGNERS, Spec.parse(f"yunet:weights={path}")).component
    face = build(RECOGNISERS, Spec("sface")).component.face
    return path, lambda: component.align([draw_face(0, 0, 64)], [None], face)


def spandrel(folder: Path) -> tuple[Path, Callable[[], Any]]:
    import torch

    pytest.importorskip("spandrel")
    shapes = {"body.0": (8, 3, 3, 3), "body.2": (8, 8, 3, 3), "body.4": (12, 8, 3, 3)}
    state = {f"{name}.weight": torch.zeros(shape) for name, shape in shapes.items()}
    state |= {f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()}
    path = folder / "net.pth"
    torch.save(state | {"body.1.weight": torch.full((8,), 0.2), "body.3.weight": torch.full((8,), 0.3)}, path)
    chain = Chain.parse(f"spandrel:file={path}")
    return path, lambda: chain.hallucinate([draw_face(0, 0, 16)])


def onnx_graph(folder: Path) -> Path:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    ports = [[helper.make_tensor_value_info(name, 1, (1, 3, 16, 16))] for name in ("image", "result")]
    constant = onnx.numpy_helper.from_array(np.full((1, 3, 1, 1), 0.5, np.float32), "factor")
    graph = helper.make_graph([helper.make_node("Mul", ["image", "factor"], ["result"])], "net", *ports, [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "net.onnx"
    onnx.save(model, str(path))
    return path


def onnx_hallucinator(folder: Path) -> tuple[Path, Callable[[], Any]]:
    path = onnx_graph(folder)
    chain = Chain.parse(f"onnx:file={path}")
    return path, lambda: chain.hallucinate([draw_face(0, 0, 16)])


@pytest.mark.parametrize(
    "make",
    [
        shipped("srgan-8x.safetensors", "srgan:weights={}"),
        shipped("stn-8x.safetensors", "srgan:stn={}"),
        shipped("cyclegan.safetensors", "cyclegan:weights={}"),
        shipped("vividgan-8x.safetensors", "vividgan:weights={},landmarks=template"),
        shipped("vividgan-flow.safetensors", "vividgan-flow:weights={}"),
        recogniser("sface:weights={}", lambda: SFACE),
        recogniser("dlib:weights={}", lambda: package_file("face_recognition_models", DLIB)),
        *(sphereface, yunet, spandrel, onnx_hallucinator),
    ],
    ids=["srgan", "stn", "cyclegan", "vividgan", "flow", "sface", "dlib", "sphereface", "yunet", "spandrel", "onnx"],
)
def test_swapped_weights_end_the_run(tmp_path: Path, make: Callable[[Path], tuple[Path, Callable[[], Any]]]) -> None:
    load_plugins()
    path, use = make(tmp_path)
    swap(path)
    with pytest.raises((ChangedError, ContractError), match="changed since this run began"):
        use()


def test_weights_that_are_replaced_after_they_were_loaded_do_no_harm(tmp_path: Path) -> None:
    load_plugins()
    path, use = shipped("cyclegan.safetensors", "cyclegan:weights={}")(tmp_path)
    before = use()[0][0]
    swap(path)
    assert np.array_equal(use()[0][0], before)


class Careless(Hallucinator):
    """Loads its weights by itself, at first use, and checks nothing."""

    output_spec = ImageSpec(16)

    def __init__(self, *, weights: Path, more: Path | None = None) -> None:
        self._path = weights
        self.weights = (weights_file(weights, wanted_by="Hallucinator careless", how_to_get=""),)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        gain = np.float32(self._path.read_bytes()[0] / 255)
        return np.full((len(lr), 3, 16, 16), gain, np.float32)


@pytest.mark.parametrize("argument", ["weights", "more"])
def test_results_of_a_plugin_that_loads_a_swapped_file_are_discarded(tmp_path: Path, argument: str) -> None:
    load_plugins()
    paths = {"weights": tmp_path / "net.bin", "more": tmp_path / "more"}
    paths["weights"].write_bytes(b"abc")
    paths["more"].mkdir()
    (paths["more"] / "table.bin").write_bytes(b"abc")
    HALLUCINATORS.register("careless", summary="")(Careless)
    try:
        chain = Chain.parse(f"careless:weights={paths['weights']},more={paths['more']}")
    finally:
        del HALLUCINATORS._entries["careless"]
    swap(paths["weights"] if argument == "weights" else paths["more"] / "table.bin")
    (tmp_path / "face.png").write_bytes(encode_png(draw_face(0, 0, 16)))
    face = Media("face.png", tmp_path / "face.png", "probe", "1", "face.png")
    embedder = Embedder(chain, build(ALIGNERS, Spec("none")), build(RECOGNISERS, Spec("sface")))
    with Cache(tmp_path / "cache") as cache:
        with pytest.raises(ChangedError, match="careless has changed since this run began"):
            embedder.embed([face], cache)
        assert cache._database.execute("SELECT count(*) FROM images").fetchone() == (0,)
        assert cache._database.execute("SELECT count(*) FROM embeddings").fetchone() == (0,)
