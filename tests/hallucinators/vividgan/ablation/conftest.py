"""A small pack of drawn heads, as the tests of training have it; and a recogniser that costs nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.align.templates import ARCFACE_112
from bench.faces.pairs.pack import Pack
from bench.images import ByteImages, FloatImages, resize
from bench.interfaces import RECOGNISERS, Recogniser
from bench.registry import load_plugins


class Pixels(Recogniser):
    """Its embedding is the chip, shrunk, less its mean."""

    face = ARCFACE_112
    embedding_size = 8 * 8 * 3

    def __init__(self) -> None:
        pass

    def embed(self, chips: ByteImages) -> FloatImages:
        small = np.stack([resize(chip, 8, 8) for chip in chips]).reshape(len(chips), -1)
        rows: FloatImages = (small - small.mean(1, keepdims=True)).astype(np.float32)
        return rows


@pytest.fixture(scope="module", autouse=True)
def pixels() -> Iterator[None]:
    load_plugins()
    RECOGNISERS.register("ablation-pixels", summary="Pixels.")(Pixels)
    yield
    del RECOGNISERS._entries["ablation-pixels"]


@pytest.fixture(scope="session")
def pack_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 people to train on and 4 left out."""
    path = Path(__file__).parents[2] / "conftest.py"
    spec = importlib.util.spec_from_file_location("training_heads", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file: Path = module.write_pack(tmp_path_factory.mktemp("people"))
    return file


@pytest.fixture(scope="session")
def packed(pack_file: Path) -> Pack:
    """The pack."""
    return Pack(pack_file)
