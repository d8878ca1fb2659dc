from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from bench.interfaces import ALIGNERS, RECOGNISERS
from bench.recognisers.networks.chips import network_input

HEAVY = ("torch", "onnx", "onnxruntime", "cv2", "scipy", "skimage", "facenet_pytorch", "dlib", "insightface")


def test_registering_and_asking_what_can_run_imports_nothing_heavy() -> None:
    code = (
        "import sys, bench.recognisers, bench.align\n"
        "from bench.interfaces import ALIGNERS, RECOGNISERS\n"
        "for entry in [*RECOGNISERS, *ALIGNERS]: entry.missing(); entry.arguments()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_all_are_registered_with_summary_source_and_licence() -> None:
    import bench.align
    import bench.recognisers

    for registry, names in (
        (RECOGNISERS, bench.recognisers.__all__),
        (ALIGNERS, bench.align.__all__),
    ):
        for name in names:
            entry = registry[name.removesuffix("_file")]
            assert entry.summary.endswith("."), name
            assert entry.source, name
            assert entry.licence, name


@pytest.mark.parametrize("colour", ["RGB", "BGR"])
def test_the_networks_input_is_ordered_shifted_and_scaled(colour: str) -> None:
    chip = np.zeros((1, 2, 2, 3), np.uint8)
    chip[..., :] = (10, 20, 30)
    planes = network_input(chip, colour=colour, mean=(1, 2, 3), std=(1, 2, 9))
    first, second, third = (10, 20, 30) if colour == "RGB" else (30, 20, 10)
    expected = (first - 1, (second - 2) / 2, (third - 3) / 9)
    np.testing.assert_allclose(planes[0, :, 0, 0], expected, rtol=1e-6)
    assert planes.dtype == np.float32
    assert planes.flags.c_contiguous
    assert chip.dtype == np.uint8
    assert (chip[0, 0, 0] == (10, 20, 30)).all()
