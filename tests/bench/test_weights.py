from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest

from bench.errors import DataError, MissingError
from bench.types import WeightsFile
from bench.weights import load_into, load_state_dict, package_file, weights_file

torch = pytest.importorskip("torch")


class Evil:
    """Would create a file when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.target,))


@pytest.fixture
def layer() -> object:
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def test_a_weights_file_is_named_and_hashed(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"abc")
    result = weights_file(path, wanted_by="Recogniser x", how_to_get="")
    assert result == WeightsFile("net.pt", hashlib.sha256(b"abc").hexdigest())


def test_a_replaced_file_gets_another_digest(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"abc")
    before = weights_file(path, wanted_by="", how_to_get="")
    path.write_bytes(b"abcd")
    assert weights_file(path, wanted_by="", how_to_get="") != before


def test_the_error_for_a_missing_file_names_the_component_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="Recogniser x needs .*net.pt, which does not exist. Fetch it."):
        weights_file(tmp_path / "net.pt", wanted_by="Recogniser x", how_to_get="Fetch it.")
    with pytest.raises(MissingError, match="which is a folder"):
        weights_file(tmp_path, wanted_by="Recogniser x", how_to_get="Fetch it.")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_state_dict_comes_back(tmp_path: Path, layer: object, suffix: str) -> None:
    from safetensors.torch import save_file

    path = tmp_path / f"net{suffix}"
    if suffix == ".pt":
        torch.save(layer.state_dict(), path)
    else:
        save_file(layer.state_dict(), path)
    state = load_state_dict(path)
    assert set(state) == {"weight", "bias"}
    assert torch.equal(state["weight"], layer.weight)


def test_a_checkpoint_of_parallel_training_is_unwrapped(tmp_path: Path, layer: object) -> None:
    state = {f"module.{name}": tensor for name, tensor in layer.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "net.pt")
    assert set(load_state_dict(tmp_path / "net.pt")) == {"weight", "bias"}


@pytest.mark.parametrize("legacy", [True, False])
def test_a_pickle_of_other_objects_is_refused_and_not_run(tmp_path: Path, legacy: bool) -> None:
    path, target = tmp_path / "net.pt", tmp_path / "created"
    if legacy:
        path.write_bytes(pickle.dumps(Evil(target)))
    else:
        torch.save({"weight": Evil(target)}, path)
    with pytest.raises(DataError, match="net.pt are refused: the file is a pickle that holds other objects"):
        load_state_dict(path)
    assert not target.exists()


def test_a_whole_pickled_module_is_refused(tmp_path: Path, layer: object) -> None:
    torch.save(layer, tmp_path / "net.pt")
    with pytest.raises(DataError, match="Save the plain state dict"):
        load_state_dict(tmp_path / "net.pt")


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 5, 200, -20])
def test_a_truncated_file_is_a_data_error(tmp_path: Path, layer: object, suffix: str, kept: int) -> None:
    from safetensors.torch import save_file

    path = tmp_path / f"net{suffix}"
    if suffix == ".pt":
        torch.save(layer.state_dict(), path)
    else:
        save_file(layer.state_dict(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if kept >= 0 else len(whole) + kept][: len(whole) - 1])
    with pytest.raises(DataError, match=f"net{suffix}"):
        load_state_dict(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"weight": 3}, {"state_dict": {"a": "b"}}])
def test_what_is_not_tensors_by_name_is_a_data_error(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(DataError, match="tensors by name"):
        load_state_dict(tmp_path / "net.pt")


def test_an_absent_state_dict_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no weights file"):
        load_state_dict(tmp_path / "net.pt")


def test_names_and_shapes_that_do_not_fit_are_listed(layer: object) -> None:
    state = {"weight": torch.zeros(2, 4), "gain": torch.zeros(1)}
    with pytest.raises(DataError) as caught:
        load_into(layer, state, origin="net.pt")
    text = str(caught.value)
    assert "net.pt do not fit Linear" in text
    assert "bias is missing" in text
    assert "gain is unknown" in text
    assert "weight is (2, 4), not (2, 3)" in text


def test_many_faults_are_counted_not_listed() -> None:
    module = torch.nn.Sequential(*(torch.nn.Linear(1, 1) for _ in range(5)))
    with pytest.raises(DataError, match="and 6 more"):
        load_into(module, {}, origin="net.pt")


def test_fitting_tensors_are_copied(layer: object) -> None:
    load_into(layer, {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}, origin="net.pt")
    assert layer.weight.sum() == 6


def test_a_file_inside_a_package_is_found_without_importing_it() -> None:
    import sys

    name = "http"
    sys.modules.pop("http.server", None)
    assert package_file(name, "server.py").name == "server.py"
    assert "http.server" not in sys.modules
    assert package_file(name, "no-such-file") is None
    assert package_file("no_such_package", "x") is None
