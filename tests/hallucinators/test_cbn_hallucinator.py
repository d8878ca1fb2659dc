"""``cbn`` as it is registered: aligned faces in, faces of 128 out, by the network of its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.errors import DataError, MissingError
from bench.interfaces import HALLUCINATORS
from hallucinators.baselines.cbn_net import CBN
from hallucinators.baselines.files import save_weights
from hallucinators.baselines.header import Facts
from hallucinators.baselines.stn import Aligner
from hallucinators.cbn import DEPARTURES, Cbn

FACES = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    torch.manual_seed(0)
    save_weights(path, CBN(lr=16), Facts("cbn", 16, "compact"))
    return path


def test_it_is_registered_with_where_it_departs_from_the_paper() -> None:
    assert "cbn" in HALLUCINATORS
    assert len(DEPARTURES) > 3 and all(line and not line.endswith(".") for line in DEPARTURES)


def test_it_gives_what_its_network_gives(weights: Path) -> None:
    made = Cbn(weights=weights, align=False).hallucinate(FACES)
    assert made.shape == (2, 3, 128, 128) and made.dtype == np.float32
    torch.manual_seed(0)
    net = CBN(lr=16).half().float().eval()
    with torch.no_grad():
        expected = net(torch.from_numpy(FACES)).clamp(0, 1).numpy()
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_it_sees_the_face_as_the_aligner_brings_it(weights: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    aligner = Aligner("compact", 16)
    with torch.no_grad():
        for parameter in aligner.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    save_weights(tmp_path / "stn.safetensors", aligner, Facts("stn", 16, "compact"))
    seen = aligner.half().float().eval()(torch.from_numpy(FACES)).detach().numpy()
    made = Cbn(weights=weights, stn=tmp_path / "stn.safetensors").hallucinate(FACES)
    assert np.abs(seen - FACES).max() > 0.05
    expected = Cbn(weights=weights, align=False).hallucinate(seen.clip(0, 1))
    unaligned = Cbn(weights=weights, align=False).hallucinate(FACES)
    assert np.abs(made - expected).mean() < 0.005 < 0.02 < np.abs(made - unaligned).mean()


def test_files_that_are_missing_or_of_another_size_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="stn"):
        Cbn(weights=weights, stn=tmp_path / "nowhere.safetensors")
    with pytest.raises(DataError, match="32"):
        Cbn(size=32, weights=weights, align=False)
