"""``cbn`` and ``waveletsrnet`` as they are registered: aligned faces in, faces of 128 out, by the network of a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

import hallucinators.cbn
import hallucinators.waveletsrnet
from bench.errors import DataError, MissingError
from bench.interfaces import HALLUCINATORS
from hallucinators.cbn.network import CBN
from hallucinators.networks.weight_file import Facts
from hallucinators.networks.weight_loading import save_weights
from hallucinators.stn.aligned import AlignedHallucinator
from hallucinators.stn.aligner import Aligner
from hallucinators.waveletsrnet.network import WaveletSRNet

FACES = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)


class Method(NamedTuple):
    name: str
    hallucinator: type[AlignedHallucinator]
    network: type[nn.Module]
    departures: tuple[str, ...]


METHODS = (
    Method("cbn", hallucinators.cbn.Cbn, CBN, hallucinators.cbn.DEPARTURES),
    Method(
        "waveletsrnet",
        hallucinators.waveletsrnet.WaveletSrNet,
        WaveletSRNet,
        hallucinators.waveletsrnet.DEPARTURES,
    ),
)


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def method(request: pytest.FixtureRequest) -> Method:
    result: Method = request.param
    return result


@pytest.fixture
def weights(method: Method, tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    torch.manual_seed(0)
    save_weights(path, method.network(lr=16), Facts(method.name, 16, "compact"))
    return path


def test_it_is_registered_with_where_it_departs_from_the_paper(method: Method) -> None:
    assert method.name in HALLUCINATORS
    assert len(method.departures) > 3 and all(line and not line.endswith(".") for line in method.departures)


def test_it_gives_what_its_network_gives(method: Method, weights: Path) -> None:
    instance = method.hallucinator(weights=weights, align=False).hallucinate(FACES)
    assert instance.shape == (2, 3, 128, 128) and instance.dtype == np.float32
    torch.manual_seed(0)
    net = method.network(lr=16).half().float().eval()
    with torch.no_grad():
        expected = net(torch.from_numpy(FACES)).clamp(0, 1).numpy()
    np.testing.assert_allclose(instance, expected, atol=1e-4)


def test_it_sees_the_face_as_the_aligner_brings_it(method: Method, weights: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    aligner = Aligner("compact", 16)
    with torch.no_grad():
        for parameter in aligner.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    save_weights(tmp_path / "stn.safetensors", aligner, Facts("stn", 16, "compact"))
    seen = aligner.half().float().eval()(torch.from_numpy(FACES)).detach().numpy()
    instance = method.hallucinator(weights=weights, stn=tmp_path / "stn.safetensors").hallucinate(FACES)
    assert np.abs(seen - FACES).max() > 0.05
    expected = method.hallucinator(weights=weights, align=False).hallucinate(seen.clip(0, 1))
    unaligned = method.hallucinator(weights=weights, align=False).hallucinate(FACES)
    assert np.abs(instance - expected).mean() < 0.005 < 0.02 < np.abs(instance - unaligned).mean()


def test_files_that_are_missing_or_of_another_size_are_refused(method: Method, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="stn"):
        method.hallucinator(weights=weights, stn=tmp_path / "nowhere.safetensors")
    with pytest.raises(DataError, match="32"):
        method.hallucinator(size=32, weights=weights, align=False)
