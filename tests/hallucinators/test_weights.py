"""Shipped weights: a card each that names their digest, small enough, and of the network their name says."""

from __future__ import annotations

from pathlib import Path

import pytest

import hallucinators
from bench.provenance import file_digest
from hallucinators.vividgan.files import load_weights, read_facts

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
def test_each_is_the_network_its_name_says(path: Path) -> None:
    facts = read_facts(path)
    assert path.stem.startswith(facts.network)
    model, _ = load_weights(path, network=facts.network, lr=facts.lr)
    assert all(bool(parameter.isfinite().all()) for parameter in model.parameters())
