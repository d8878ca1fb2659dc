"""Shipped weights: a card each that names their digest, small enough, and of the network their name says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

import hallucinators
from bench.interfaces import HALLUCINATORS
from bench.io.file_digests import file_digest
from bench.registry import load_plugins

FOLDER = Path(hallucinators.__file__).parent / "weights"
SHIPPED = sorted(FOLDER.glob("*.safetensors"))


def test_weights_are_shipped_and_stay_small() -> None:
    assert FOLDER / "vividgan-flow.safetensors" in SHIPPED
    sizes = [path.stat().st_size for path in SHIPPED]
    assert max(sizes) <= 25 * 2**20 and sum(sizes) <= 120 * 2**20


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_each_has_a_card_with_its_digest_and_its_licence(path: Path) -> None:
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    assert file_digest(path) in card
    assert "non-commercial research" in card and "UTKFace" in card


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_each_runs_by_its_bare_name_and_is_finite(path: Path) -> None:
    load_plugins()
    name, _, factor = path.stem.rpartition("-") if path.stem.endswith("x") else (path.stem, "", "")
    side = 128 // int(factor.removesuffix("x")) if factor else 16
    entry = HALLUCINATORS[name]
    takes_size = "size" in {argument.name for argument in entry.arguments()}
    hallucinator = entry.create({"size": str(side)} if takes_size else {})
    assert file_digest(path) in {file.sha256 for file in hallucinator.weights}
    inputs = 128 if name == "cyclegan" else side
    faces = np.random.default_rng(0).random((1, 3, inputs, inputs), np.float32)
    result = hallucinator.hallucinate(faces)
    spec = hallucinator.output_spec
    assert result.shape[2:] == ((spec.size,) * 2 if spec.size else (inputs * spec.scale,) * 2)
    assert np.isfinite(result).all() and result.std() > 0.01


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_weight_is_lost_in_half_precision(path: Path) -> None:
    with safe_open(path, "np") as file:
        for name in file.keys():  # noqa: SIM118  # it is no mapping
            assert np.isfinite(file.get_tensor(name)).all(), name
