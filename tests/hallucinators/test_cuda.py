"""Hallucinators on a CUDA device: the same faces as on a processor but for rounding, counted alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.interfaces import HALLUCINATORS
from bench.registry import load_plugins

load_plugins()
TAKE = {entry.name: {argument.name for argument in entry.arguments()} for entry in HALLUCINATORS}
NAMES = [name for name, taken in TAKE.items() if "device" in taken and "file" not in taken]


def test_every_method_with_a_network_of_ours_is_here() -> None:
    assert {"vividgan", "vividgan-flow", "srgan", "cbn", "waveletsrnet", "tdae", "tann", "drgan", "cyclegan"} <= set(
        NAMES
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_gives_the_face_a_processor_gives(name: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    missing = HALLUCINATORS[name].missing
    if missing and (why := missing()):
        pytest.skip(why)
    here = HALLUCINATORS[name].create({"device": "cpu"})
    there = HALLUCINATORS[name].create({"device": "cuda"})
    side = here.input_spec.size or 16
    faces = np.random.default_rng(0).random((3, 3, side, side), np.float32)
    expected, outcomes = here.hallucinate_counted(faces)
    result, others = there.hallucinate_counted(faces)
    assert isinstance(result, np.ndarray) and result.dtype == np.float32 and result.shape == expected.shape
    assert np.abs(result - expected).mean() < 2e-3  # TF32 and other orders of summing
    assert outcomes == others
