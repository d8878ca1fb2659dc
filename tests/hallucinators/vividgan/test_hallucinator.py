"""VividGAN behind the hallucinator contract, with weights drawn at random: what holds whatever was learned."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.errors import DataError, MissingError, UsageError
from bench.faces.landmarks.bundle import find_bundle
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.images import ByteImages
from bench.pipeline.chain import Chain
from bench.registry import load_plugins
from hallucinators.vividgan import inference
from hallucinators.vividgan.hallucinator import VividGanFlow, VividGanHallucinator
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.network.loading import build, load_weights, save_weights
from hallucinators.vividgan.network.turn_limits import ALWAYS, FAR, TurnLimits
from hallucinators.vividgan.network.weight_file import Facts

MODULE = inference
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
    images, outcomes = make(landmarks="engine").hallucinate_counted(faces)  # noise of random weights shows no face
    assert {(outcome.status, outcome.reason) for outcome in outcomes} == {("fallback", FALLBACK)}
    np.testing.assert_allclose(images, make(landmarks="template").hallucinate(faces), atol=1e-5)


def test_the_bundle_of_the_engine_is_part_of_what_identifies_results(make: Callable[..., VividGanFlow]) -> None:
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


class Choosy(Landmarker):
    """Finds a face in every other preview, as it looks, at places that depend on that preview alone."""

    def find(self, images: Sequence[ByteImages]) -> list[Landmarks | None]:
        return [self._look(image) for image in images]

    def _look(self, image: ByteImages) -> Landmarks | None:
        seed = int(image.astype(np.int64).sum())
        if seed % 2:
            return None
        points = np.random.default_rng(seed).uniform(30, 98, (478, 3)).astype(np.float32)
        return Landmarks(points, 0.0, 0.0, 0.0, np.zeros(0, np.float32), 1.0, 1)


def test_components_stand_where_each_face_has_them_whatever_its_neighbours(make: Callable[..., VividGanFlow]) -> None:
    faces = np.random.default_rng(3).random((8, 3, 16, 16), np.float32)
    hallucinator = make(landmarks="template")
    hallucinator._bundle = Path("a stand-in")
    hallucinator.__dict__["_landmarker"] = Choosy()
    together, outcomes = hallucinator.hallucinate_counted(faces)
    assert {outcome.status for outcome in outcomes} == {"ok", "fallback"}
    by_template = make(landmarks="template").hallucinate(faces)
    for index, outcome in enumerate(outcomes):
        alone, (outcome_alone,) = hallucinator.hallucinate_counted(faces[index : index + 1])
        np.testing.assert_array_equal(alone[0], together[index])
        assert outcome_alone == outcome
        assert np.array_equal(alone[0], by_template[index]) == (outcome.status == "fallback")


def test_without_the_engine_auto_takes_the_usual_places_and_engine_says_what_to_install(
    make: Callable[..., VividGanFlow], faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "engine_is_here", lambda: False)
    monkeypatch.setattr(MODULE, "find_bundle", lambda: Path(__file__))
    monkeypatch.setattr("bench.faces.landmarks.mediapipe.FaceLandmarker", None)  # it must not be called
    images, outcomes = make(landmarks="auto").hallucinate_counted(faces)
    assert {outcome.status for outcome in outcomes} == {"ok"}
    np.testing.assert_array_equal(images, make(landmarks="template").hallucinate(faces))
    with pytest.raises(MissingError, match="pip install"):
        make(landmarks="engine")


def test_a_coarse_file_serves_the_coarse_output_alone(tmp_path: Path, faces: np.ndarray) -> None:
    path = weights(tmp_path, Facts("vividgan-flow", 0, "compact", fine=False))
    assert VividGanFlow(weights=path, output="coarse").hallucinate(faces).shape == (3, 3, 128, 128)
    with pytest.raises(DataError, match="take output=coarse"):
        VividGanFlow(weights=path, output="fine")


def test_weights_whose_tensors_are_of_another_preset_than_their_header_are_refused(
    faithful: Path, tmp_path: Path, faces: np.ndarray
) -> None:
    from safetensors.torch import load_file, save_file

    path = tmp_path / "paper.safetensors"
    save_file(load_file(faithful), path, {"bench": json.dumps(Facts("vividgan", 16, "paper").__dict__)})
    with pytest.raises(DataError, match="do not fit"):
        VividGanHallucinator(weights=path, landmarks="template").hallucinate(faces)


@pytest.mark.parametrize("name", ["vividgan", "vividgan-flow:output=fine", "vividgan-flow:output=coarse"])
def test_the_contract_holds(
    bench: Callable[..., tuple[int, str, str]],
    name: str,
    faithful: Path,
    flow: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bench.checks.conformance.FACES", 4)
    name, _, given = name.partition(":")
    path = faithful if name == "vividgan" else flow
    code, out, _ = bench("check", f"{name}:weights={path}{given and ','}{given}")
    assert code == 0, out
    assert "11 of 11 checks passed" in out


def test_list_says_that_a_network_without_its_weights_cannot_run_here(
    bench: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (VividGanFlow.__module__, "hallucinators.networks.shipped"):
        monkeypatch.setattr(sys.modules[module], "SHIPPED", tmp_path)
    result = {entry["name"]: entry for entry in json.loads(bench("list", "--json")[1])["components"]}
    for name in ("vividgan", "vividgan-flow"):
        assert result[name]["runs_here"] is False
        assert f"{name}:weights=FILE" in result[name]["why_not"]
    code, _, err = bench("check", "vividgan-flow")
    assert code == 3 and "which does not exist" in err and "vividgan-flow:weights=FILE" in err
    (tmp_path / "vividgan-8x.safetensors").touch()
    result = {entry["name"]: entry for entry in json.loads(bench("list", "--json")[1])["components"]}
    assert (result["vividgan"]["runs_here"], result["vividgan-flow"]["runs_here"]) == (True, False)


def test_weights_are_found_and_checked_without_torch(flow: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom hallucinators.vividgan.hallucinator import VividGanFlow\n"
        f"VividGanFlow(weights=Path({str(flow)!r}))\nprint(sorted({{'torch', 'onnx', 'scipy'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_frame_of_recognisers_shows_the_face_with_its_surroundings(
    make: Callable[..., VividGanFlow], faces: np.ndarray
) -> None:
    plain, wide = make(landmarks="template"), make(landmarks="template", frame="arcface112")
    assert make(landmarks="template", frame="lr").output_frame == ""
    assert make(landmarks="template", frame="auto").output_frame == "utkface200"
    assert (plain.output_frame, wide.output_frame) == ("utkface200", "arcface112")
    result = wide.hallucinate(faces)
    assert result.shape == (3, 3, 128, 128) and 0 <= result.min() and result.max() <= 1
    assert np.abs(result - plain.hallucinate(faces)).mean() > 0.01
    passed = plain.stages(faces)
    assert passed.similarity.shape == (3, 2, 3)
    np.testing.assert_array_equal(result, wide.in_frame(wide.stages(faces)))


@pytest.mark.parametrize(
    ("arguments", "restraint"),
    [
        ({}, ALWAYS),
        ({"frame": "arcface112"}, FAR),
        ({"frame": "lr"}, FAR),
        ({"frame": "dlib150"}, FAR),
        ({"frame": "utkface200"}, ALWAYS),
        ({"frame": "tpgan128"}, ALWAYS),
        ({"frontalise": "far"}, FAR),
        ({"frame": "lr", "frontalise": "always"}, ALWAYS),
    ],
)
def test_heads_turned_a_little_stay_turned_in_frames_of_recognisers(
    flow: Path, faces: np.ndarray, arguments: dict[str, Any], restraint: TurnLimits
) -> None:
    result = VividGanFlow(weights=flow, **arguments).stages(faces).coarse
    net = load_weights(flow)[0].coarse
    assert isinstance(net, FlowCoarseNet)
    for each in (ALWAYS, FAR):
        net.limits = each
        with torch.inference_mode():
            expected = net(torch.from_numpy(faces)).coarse.clamp(0, 1).numpy()
        assert np.allclose(result, expected, atol=2e-5) is (each == restraint)


def test_the_exported_network_is_restrained_as_the_hallucinator_is(flow: Path, tmp_path: Path) -> None:
    for requested in ("always", "far"):
        VividGanFlow(weights=flow, frontalise=requested).export_onnx(tmp_path / f"{requested}.onnx")
    always, far = ((tmp_path / f"{name}.onnx").read_bytes() for name in ("always", "far"))
    assert always != far


def test_faces_side_by_side_come_out_as_alone_to_the_last_bit_on_any_number_of_threads(
    make: Callable[..., VividGanFlow],
) -> None:
    faces = np.random.default_rng(5).random((5, 3, 16, 16), dtype=np.float32)
    before = torch.get_num_threads()
    together = make(landmarks="template", threads=3).hallucinate(faces)
    assert torch.get_num_threads() == before
    alone = make(landmarks="template", threads=1)
    assert all(np.array_equal(together[i], alone.hallucinate(faces[i : i + 1])[0]) for i in range(5))


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights(tmp_path_factory.mktemp("weights"), Facts("vividgan", 32, "compact"))


@pytest.mark.parametrize(
    ("given", "side"), [((12, 16), 16), ((16, 16), 16), ((16, 17), 32), ((32, 32), 32), ((60, 40), 32)]
)
def test_each_image_chooses_the_network_of_its_size_unless_one_is_named(
    given: tuple[int, int], side: int, faithful: Path, larger: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys.modules[VividGanHallucinator.__module__], "SHIPPED", tmp_path)
    (tmp_path / "vividgan-8x.safetensors").symlink_to(faithful)
    (tmp_path / "vividgan-4x.safetensors").symlink_to(larger)
    images = np.random.default_rng(6).random((2, 3, *given), dtype=np.float32)
    by_itself = VividGanHallucinator(landmarks="template")
    assert [file.name for file in by_itself.weights] == ["vividgan-8x.safetensors", "vividgan-4x.safetensors"]
    result = by_itself.hallucinate(images)
    named = {size: VividGanHallucinator(size=size, landmarks="template").hallucinate(images) for size in (16, 32)}
    np.testing.assert_array_equal(result, named[side])
    assert np.abs(named[16] - named[32]).mean() > 1e-3


def test_weights_of_ones_own_need_no_size_and_networks_of_several_are_exported_one_by_one(
    larger: Path, tmp_path: Path
) -> None:
    images = np.random.default_rng(7).random((1, 3, 14, 14), dtype=np.float32)
    result = VividGanHallucinator(weights=larger, landmarks="template")
    assert result.stages(images).lr.shape == (1, 3, 32, 32)
    with pytest.raises(UsageError, match=r"vividgan:size=16 or vividgan:size=32"):
        VividGanHallucinator(landmarks="template").export_onnx(tmp_path / "both.onnx")


@pytest.mark.parametrize("frame", ["arcface112", "lr"])
def test_show_through_blends_the_face_with_the_lr_image_in_frames_of_recognisers(
    make: Callable[..., VividGanFlow], faces: np.ndarray, frame: str
) -> None:
    none, half, whole = (
        make(frame=frame, output="coarse", show_through=share).hallucinate(faces) for share in (0.0, 0.5, 1.0)
    )
    assert np.abs(none - whole).max() > 1e-3
    np.testing.assert_allclose(half, (none + whole) / 2, atol=1e-5)


def test_show_through_changes_nothing_in_the_frame_of_the_truth(
    make: Callable[..., VividGanFlow], faces: np.ndarray
) -> None:
    first, second = (make(output="coarse", show_through=share).hallucinate(faces) for share in (0.0, 1.0))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_show_through_that_is_no_share_is_refused(make: Callable[..., VividGanFlow], share: float) -> None:
    with pytest.raises(UsageError, match="show_through"):
        make(show_through=share)
