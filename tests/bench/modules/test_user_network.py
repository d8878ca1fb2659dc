"""Users' own torch networks as hallucinator and recogniser: their files, their faults, equal results by other ways."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bench.errors import BenchError, DataError, MissingError, UsageError
from bench.images import to_float
from bench.interfaces import HALLUCINATORS, RECOGNISERS
from bench.io.file_digests import file_digest
from bench.modules.user_network import build_user_network, user_network
from bench.pipeline.build import build
from bench.registry import Spec, load_plugins
from tests.bench.modules.networks import write_networks

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write_networks(tmp_path)


@pytest.fixture(autouse=True)
def plugins() -> None:
    load_plugins()


def reference(net: Path, name: str) -> torch.nn.Module:
    spec = importlib.util.spec_from_file_location("reference", net)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    network: torch.nn.Module = getattr(module, name)()
    return network.eval()


def lr_faces() -> np.ndarray:
    return to_float(list(np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)))


def test_a_hallucinator_has_the_weights_of_the_file_and_both_digests(net: Path, tmp_path: Path) -> None:
    save_file({"gain": torch.full((1,), 0.5)}, tmp_path / "w.safetensors")
    built = build(
        HALLUCINATORS, Spec.parse(f"torch:module={net}:Upscaler,weights={tmp_path / 'w.safetensors'},scale=8")
    )
    lr = lr_faces()
    result = built.component.hallucinate(lr)
    expected = torch.nn.functional.interpolate(torch.from_numpy(lr), scale_factor=8, mode="bicubic") * 0.5
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-6)
    assert [file.sha256 for file in built.component.weights] == [
        file_digest(net),
        file_digest(tmp_path / "w.safetensors"),
    ]


def test_values_from_minus_one_and_half_precision_are_options(net: Path) -> None:
    lr = lr_faces()
    plain = build(HALLUCINATORS, Spec.parse(f"torch:module={net}:Upscaler,scale=8")).component.hallucinate(lr)
    shifted = build(HALLUCINATORS, Spec.parse(f"torch:module={net}:Upscaler,scale=8,values=-1..1")).component
    np.testing.assert_allclose(shifted.hallucinate(lr), plain, atol=1e-5)
    half = build(HALLUCINATORS, Spec.parse(f"torch:module={net}:Upscaler,output=64,half=true")).component
    assert half.hallucinate(lr).shape == (3, 3, 64, 64)


def test_batch_statistics_are_those_of_evaluation(net: Path) -> None:
    normed = build(HALLUCINATORS, Spec.parse(f"torch:module={net}:Normed,scale=8")).component
    lr = lr_faces()
    np.testing.assert_array_equal(normed.hallucinate(lr)[1:2], normed.hallucinate(lr[1:2]))


def test_the_conformance_check_passes(net: Path, bench: Bench) -> None:
    code, out, err = bench("check", f"torch:module={net}:Upscaler,scale=8")
    assert code == 0 and "FAIL" not in out, out + err


def test_a_recogniser_gives_the_embeddings_of_its_network(net: Path, tmp_path: Path) -> None:
    network = reference(net, "Embedder")
    torch.save(network.state_dict(), tmp_path / "w.pt")
    built = build(
        RECOGNISERS, Spec.parse(f"torch:module={net}:Embedder,weights={tmp_path / 'w.pt'},colour=bgr,std=[128]")
    )
    chips = np.random.default_rng(1).integers(0, 256, (5, 112, 112, 3), np.uint8)
    assert built.component.embedding_size == 16
    inputs = (torch.from_numpy(chips[..., ::-1].copy()).permute(0, 3, 1, 2).float() - 127.5) / 128
    with torch.no_grad():
        np.testing.assert_allclose(built.component.embed(chips), network(inputs).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("module", "error", "expected"),
    [
        ("net.py", UsageError, "must be FILE.py:Class"),
        ("net.txt:Upscaler", UsageError, "must be FILE.py:Class"),
        ("absent.py:Upscaler", MissingError, "absent.py, which does not exist"),
        ("net.py:Absent", DataError, "has no class Absent"),
        ("net.py:not_a_class", DataError, "cannot be run: TypeError"),
        ("net.py:function", DataError, "is a int, not a torch module"),
        ("net.py:Broken", DataError, "RuntimeError: no GPU here"),
    ],
)
def test_what_is_wrong_is_named(
    net: Path, monkeypatch: pytest.MonkeyPatch, module: str, error: type[BenchError], expected: str
) -> None:
    monkeypatch.chdir(net.parent)
    with pytest.raises(error, match=expected):
        build_user_network(user_network("Hallucinator torch", module, None))


def test_weights_that_do_not_fit_and_outputs_that_are_no_embedding_are_named(net: Path, tmp_path: Path) -> None:
    save_file({"other": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(DataError, match="gain is missing"):
        build_user_network(user_network("torch", f"{net}:Upscaler", tmp_path / "w.safetensors"))
    with pytest.raises(DataError, match=r"output of shape .* an embedding is \(N, D\)"):
        build(RECOGNISERS, Spec.parse(f"torch:module={net}:NoEmbedding"))
    with pytest.raises(UsageError, match="say scale=8"):
        build(HALLUCINATORS, Spec.parse(f"torch:module={net}:Upscaler"))


def test_a_file_that_changed_after_its_digest_is_refused(net: Path) -> None:
    network = user_network("torch", f"{net}:Upscaler", None)
    net.write_text(net.read_text() + "\n# changed\n")
    with pytest.raises(BenchError, match="does not have the digest|has changed"):
        build_user_network(network)
