"""Torch files through spandrel: what the network gives by our own arithmetic, and what is refused."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from bench.errors import ContractError, DataError, MissingError, UsageError
from bench.images import resize, resize_float, to_bytes, to_float
from bench.pipeline.chain import Chain
from bench.registry import load_plugins

pytest.importorskip("spandrel")
from hallucinators.external import spandrel_file, spandrel_network  # noqa: E402  # needs the library
from hallucinators.external.spandrel_file import SpandrelFile  # noqa: E402  # likewise

State = dict[str, Tensor]
TRUSTED = "yes-i-trust-this-file"


def drawn(**shapes: tuple[int, ...]) -> State:
    """Weights and biases by name, awake and small; names have dots for double underscores."""
    generator = torch.Generator().manual_seed(len(shapes))
    state: State = {}
    for name, shape in shapes.items():
        fan = float(np.prod(shape[1:]))
        state[f"{name.replace('__', '.')}.weight"] = torch.randn(shape, generator=generator) / fan**0.5
        state[f"{name.replace('__', '.')}.bias"] = torch.full((shape[0],), 0.1)
    return state


def conv(state: State, name: str, image: Tensor) -> Tensor:
    return functional.conv2d(image, state[f"{name}.weight"], state[f"{name}.bias"], padding=1)


def compact_state(scale: int = 2) -> State:
    state = drawn(body__0=(8, 3, 3, 3), body__2=(8, 8, 3, 3), body__4=(3 * scale**2, 8, 3, 3))
    return state | {"body.1.weight": torch.full((8,), 0.2), "body.3.weight": torch.full((8,), 0.3)}


def compact(state: State, image: Tensor, scale: int = 2) -> Tensor:
    """SRVGGNetCompact, from its description: convolutions, PReLU, pixel shuffle, plus the enlarged input."""
    result = functional.prelu(conv(state, "body.0", image), state["body.1.weight"])
    result = functional.prelu(conv(state, "body.2", result), state["body.3.weight"])
    result = functional.pixel_shuffle(conv(state, "body.4", result), scale)
    return (result + functional.interpolate(image, scale_factor=scale, mode="nearest")).clamp(0, 1)


def esrgan_state() -> State:
    dense = {
        f"body__0__rdb{i}__conv{k}": (32 if k < 5 else 4, 4 + 32 * (k - 1), 3, 3)
        for i in (1, 2, 3)
        for k in range(1, 6)
    }
    after = {name: (4, 4, 3, 3) for name in ("conv_body", "conv_up1", "conv_up2", "conv_hr")}
    return drawn(conv_first=(4, 3, 3, 3), **dense, **after, conv_last=(3, 4, 3, 3))


def esrgan(state: State, image: Tensor) -> Tensor:
    """RRDBNet with one block, from the paper's figure: dense blocks scaled by 0.2, two nearest enlargements."""

    def leaky(values: Tensor) -> Tensor:
        return functional.leaky_relu(values, 0.2)

    first = conv(state, "conv_first", image)
    trunk = first
    for i in (1, 2, 3):
        seen = [trunk]
        for k in range(1, 5):
            seen.append(leaky(conv(state, f"body.0.rdb{i}.conv{k}", torch.cat(seen, 1))))
        trunk = trunk + 0.2 * conv(state, f"body.0.rdb{i}.conv5", torch.cat(seen, 1))
    result = first + conv(state, "conv_body", first + 0.2 * trunk)
    for name in ("conv_up1", "conv_up2"):
        result = leaky(conv(state, name, functional.interpolate(result, scale_factor=2, mode="nearest")))
    return conv(state, "conv_last", leaky(conv(state, "conv_hr", result))).clamp(0, 1)


NETWORKS: dict[str, tuple[Callable[[], State], Callable[[State, Tensor], Tensor], int]] = {
    "Compact": (compact_state, compact, 2),
    "ESRGAN": (esrgan_state, esrgan, 4),
}


def faces(count: int = 3, height: int = 12, width: int = 12) -> np.ndarray:
    return np.random.default_rng(0).random((count, 3, height, width), np.float32)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    torch.save({"params_ema": compact_state()}, tmp_path / "small.pth")
    return tmp_path / "small.pth"


@pytest.mark.parametrize("kind", [".pth", ".pt", ".ckpt", ".safetensors"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_gives_what_it_gives_by_hand_whatever_file_it_is_in(tmp_path: Path, name: str, kind: str) -> None:
    make, by_hand, scale = NETWORKS[name]
    state, path = make(), tmp_path / f"net{kind}"
    if kind == ".safetensors":
        save_file(state, path)
    else:
        wrapped = {
            ".pth": {"params_ema": state, "params": {}},
            ".ckpt": {"state_dict": state, "epoch": 3},
            ".pt": state,
        }
        torch.save(wrapped[kind], path)
    hallucinator = SpandrelFile(file=path)
    assert (hallucinator.architecture, hallucinator.output_spec.scale) == (name, scale)
    assert (hallucinator.input_spec.size, hallucinator.output_spec.size) == (None, None)
    lr = faces(3, 12, 10)
    result = hallucinator.hallucinate(lr)
    expected = by_hand(state, torch.from_numpy(lr)).numpy()
    assert result.dtype == np.float32 and result.std() > 0.05
    np.testing.assert_allclose(result, expected, atol=1e-5)
    np.testing.assert_array_equal(result[1:2], hallucinator.hallucinate(lr[1:2]))


def test_a_bgr_network_sees_and_gives_the_channels_the_other_way_round(small: Path) -> None:
    lr = faces()
    result = SpandrelFile(file=small, colour="BGR").hallucinate(lr)
    expected = compact(compact_state(), torch.from_numpy(lr[:, ::-1].copy())).numpy()[:, ::-1]
    np.testing.assert_allclose(result, expected, atol=1e-5)
    assert np.abs(result - SpandrelFile(file=small).hallucinate(lr)).max() > 0.05


def test_sizes_are_brought_to_what_was_requested_before_and_after(small: Path) -> None:
    hallucinator = SpandrelFile(file=small, size=20, output=28)
    assert (hallucinator.input_spec.size, hallucinator.output_spec.size) == (20, 28)
    assert SpandrelFile(file=small, size=20).output_spec.size == 40
    lr = faces()
    inputs = resize_float(lr, 20, 20).clip(0, 1)
    expected = resize_float(compact(compact_state(), torch.from_numpy(inputs)).numpy(), 28, 28)
    np.testing.assert_allclose(hallucinator.hallucinate(lr), expected, atol=1e-5)


def test_a_chain_runs_it_after_a_resizing_and_counts_every_face(small: Path) -> None:
    load_plugins()
    chain = Chain.parse(f"bicubic:size=16+spandrel:file={small}")
    images = list(to_bytes(faces(3, 14, 11)))
    result, outcomes = chain.hallucinate(images)
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3
    inputs = resize_float(to_float(images), 16, 16)
    expected = to_bytes(compact(compact_state(), torch.from_numpy(inputs.clip(0, 1))).numpy())
    for one, other in zip(result, expected, strict=True):
        assert one is not None and one.shape == (32, 32, 3)
        assert np.abs(one.astype(int) - other).max() <= 1
    fixed = Chain.parse(f"spandrel:file={small},size=24")
    first = fixed.hallucinate(images[:1])[0][0]
    lr = to_float([resize(images[0], 24, 24)])
    np.testing.assert_array_equal(first, to_bytes(fixed.steps[0].component.hallucinate(lr))[0])
    with pytest.raises(UsageError, match=r"Put a resizing step between them.*bicubic:size=24"):
        Chain.parse(f"bicubic:size=16+spandrel:file={small},size=24")


def test_it_travels_to_another_process_without_its_network(small: Path) -> None:
    hallucinator = SpandrelFile(file=small)
    result = hallucinator.hallucinate(faces())
    sent = pickle.dumps(hallucinator)
    assert len(sent) < 5_000
    np.testing.assert_array_equal(pickle.loads(sent).hallucinate(faces()), result)


def test_the_file_and_the_library_are_part_of_what_identifies_results(small: Path, tmp_path: Path) -> None:
    load_plugins()
    before = Chain.parse(f"spandrel:file={small}").fingerprint
    torch.save(compact_state(), small)
    assert Chain.parse(f"spandrel:file={small}").fingerprint != before
    assert SpandrelFile(file=small).version.startswith("1, spandrel 0.")


@pytest.mark.parametrize("shapes_only", [True, False], ids=["by shapes", "by values"])
def test_a_file_of_no_known_network_is_refused_with_those_that_are_known(tmp_path: Path, shapes_only: bool) -> None:
    torch.save({"layer.weight": torch.zeros(2, 2)}, tmp_path / "odd.pth")
    with pytest.raises(DataError, match=r"odd.pth are of no network that spandrel knows.*layer.weight.*ESRGAN.*GFPGAN"):
        SpandrelFile(file=tmp_path / "odd.pth", unsafe_pickle="no" if shapes_only else TRUSTED)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"body.2.weight": torch.zeros(8, 7, 3, 3)}, "look like Compact, but do not fit it"),
        ({"body.0.weight": torch.zeros(8, 1, 3, 3), "body.4.weight": torch.zeros(4, 8, 3, 3),
          "body.4.bias": torch.zeros(4)}, "from 1 to 1 channels"),
    ],
)  # fmt: skip
def test_a_network_that_does_not_fit_is_refused(tmp_path: Path, change: State, message: str) -> None:
    torch.save(compact_state() | change, tmp_path / "net.pth")
    with pytest.raises(DataError, match=message):
        SpandrelFile(file=tmp_path / "net.pth")


class Evil:
    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Path]]:
        return os.mkdir, (self._target,)


@pytest.mark.parametrize("kind", [".pth", ".pt", ".ckpt"])
def test_a_pickle_of_other_objects_is_refused_and_not_run_unless_trusted(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / f"net{kind}", tmp_path / "made"
    torch.save({"state_dict": compact_state(), "callback": Evil(target)}, path)
    with pytest.raises(DataError, match="refused: the file is a pickle.*unsafe_pickle=yes-i-trust-this-file"):
        SpandrelFile(file=path)
    assert not target.exists()
    assert SpandrelFile(file=path, unsafe_pickle=TRUSTED).architecture == "Compact"
    assert target.exists()


def test_a_whole_module_and_torchscript_need_trust(tmp_path: Path) -> None:
    module = torch.nn.Conv2d(3, 3, 1)
    torch.save(module, tmp_path / "module.pth")
    torch.jit.save(torch.jit.trace(module, torch.zeros(1, 3, 2, 2)), tmp_path / "script.pt")
    with pytest.raises(DataError, match="refused: the file is a pickle"):
        SpandrelFile(file=tmp_path / "module.pth")
    with pytest.raises(DataError, match="refused: the file is TorchScript"):
        SpandrelFile(file=tmp_path / "script.pt")
    for name in ("module.pth", "script.pt"):  # opened, and then of no network that is known
        with pytest.raises(DataError, match=r"no network that spandrel knows \(2 entries, the first weight, bias\)"):
            SpandrelFile(file=tmp_path / name, unsafe_pickle=TRUSTED)


@pytest.mark.parametrize("kind", [".pth", ".safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.95])
@pytest.mark.parametrize("trust", ["no", TRUSTED])
def test_a_truncated_file_is_named(tmp_path: Path, kind: str, kept: float, trust: Any) -> None:
    path = tmp_path / f"net{kind}"
    save_file(compact_state(), path) if kind == ".safetensors" else torch.save(compact_state(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(DataError, match=rf"net{kind} (are truncated|are refused|cannot be loaded)"):
        SpandrelFile(file=path, unsafe_pickle=trust)


def test_a_single_tensor_is_no_network(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "one.pth")
    with pytest.raises(DataError, match="hold one Tensor, not tensors by name"):
        SpandrelFile(file=tmp_path / "one.pth")


def test_a_file_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"gone.pth, which does not exist.*spandrel:file=FILE"):
        SpandrelFile(file=tmp_path / "gone.pth")
    load_plugins()
    with pytest.raises(UsageError, match="file is required"):
        Chain.parse("spandrel")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"size": -1}, "size is -1"), ({"output": 1}, "output is 1"), ({"w": 0.5}, "w=0.5 is CodeFormer's.*is Compact")],
)
def test_arguments_that_do_not_go_with_the_network_are_refused(small: Path, arguments: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SpandrelFile(file=small, **arguments)


def test_a_device_that_is_not_there_is_refused_before_any_face_is_read(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no device .cuda. here"):
        SpandrelFile(file=small, device="cuda")


def test_a_gpu_gives_the_face_a_processor_gives(small: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    faces = np.random.default_rng(0).random((2, 3, 16, 16), np.float32)
    result = SpandrelFile(file=small, device="cuda").hallucinate(faces)
    np.testing.assert_allclose(result, SpandrelFile(file=small).hallucinate(faces), atol=1e-2)


def test_without_the_library_the_error_says_how_to_install_it(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spandrel_file.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"pip install spandrel\.$"):
        SpandrelFile(file=small)


def test_a_file_damaged_after_its_check_ends_the_run_with_its_name(small: Path) -> None:
    hallucinator = SpandrelFile(file=small)
    small.write_bytes(b"gone")
    with pytest.raises(ContractError, match="small.pth"):
        hallucinator.hallucinate(faces())


def restoreformer_state() -> State:
    from spandrel.architectures.RestoreFormer import RestoreFormer

    torch.manual_seed(0)
    sizes = {"n_embed": 8, "embed_dim": 32, "ch": 32, "z_channels": 32, "ch_mult": (1,) * 6, "num_res_blocks": 1}
    return RestoreFormer(**sizes, resolution=512, attn_resolutions=(16,), enable_mid=True).state_dict()


def test_a_face_restorer_takes_its_own_size_by_default_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(restoreformer_state(), tmp_path / "face.pth")
    hallucinator = SpandrelFile(file=tmp_path / "face.pth", output=32)
    assert (hallucinator.input_spec.size, hallucinator.output_spec.size) == (512, 32)
    assert SpandrelFile(file=tmp_path / "face.pth").output_spec.size == 512
    seen: list[tuple[int, ...]] = []  # the network itself takes seconds
    monkeypatch.setattr(spandrel_network, "run", lambda network, face, fidelity: (seen.append(face.shape), face)[1])
    assert hallucinator.hallucinate(faces(1)).shape == (1, 3, 32, 32)
    assert seen == [(1, 3, 512, 512)]
    for size in (0, 256):
        with pytest.raises(UsageError, match="face.pth is RestoreFormer, which takes size=512 only"):
            SpandrelFile(file=tmp_path / "face.pth", size=size)


@pytest.mark.parametrize(
    ("name", "options"),
    [("GFPGAN", {"return_rgb": False, "randomize_noise": False}), ("CodeFormer", {"weight": 0.25})],
)
def test_networks_trained_on_minus_one_to_one_are_called_like_that(name: str, options: dict[str, object]) -> None:
    seen: dict[str, Any] = {}

    def network(image: Tensor, **how: object) -> tuple[Tensor, None]:
        seen.update(how, low=float(image.min()), high=float(image.max()))
        return image * 0.5, None

    descriptor = SimpleNamespace(architecture=SimpleNamespace(id=name), model=network)
    face = torch.tensor([0.0, 0.25, 1.0]).reshape(1, 3, 1, 1)
    result = spandrel_network.run(descriptor, face, fidelity=0.25)
    assert seen == {"low": -1.0, "high": 1.0, **options}
    np.testing.assert_allclose(result.flatten().numpy(), [0.25, 0.375, 0.75])


def test_a_network_that_draws_noise_gives_the_same_twice_and_leaves_the_random_state(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spandrel_network, "run", lambda network, face, fidelity: torch.rand(1, 3, 24, 24))
    hallucinator = SpandrelFile(file=small)
    before = torch.get_rng_state()
    result = hallucinator.hallucinate(faces(2))
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(result[0], result[1])
    np.testing.assert_array_equal(result, hallucinator.hallucinate(faces(2)))


def test_the_contract_holds(
    bench: Callable[..., tuple[int, str, str]], small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.checks.conformance.FACES", 4)
    code, out, _ = bench("check", f"spandrel:file={small}")
    assert code == 0 and "11 of 11 checks passed" in out, out


def test_it_registers_without_its_library_or_torch() -> None:
    script = (
        "import sys, hallucinators\nfrom bench.interfaces import HALLUCINATORS\n"
        "for name in ('spandrel', 'onnx'): HALLUCINATORS[name].missing(); HALLUCINATORS[name].arguments()\n"
        "print(sorted({'torch', 'spandrel', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
