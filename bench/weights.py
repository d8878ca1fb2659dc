"""Weight files: locate, hash and read them without running any code in them."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import ChangedError, DataError, MissingError
from bench.io.atomic import explain_os_errors, write_file
from bench.io.file_digests import file_digest, known_file_digest, mark_as_loaded
from bench.types import WeightsFile

if TYPE_CHECKING:
    import torch

HEADER = "bench"
"""Key of the safetensors metadata under which weight files of this suite hold a JSON header."""
_SHOWN = 4  # faults named in an error; the rest are counted


def weights_file(path: Path, *, wanted_by: str, how_to_get: str) -> WeightsFile:
    """Name and SHA-256 of a weight file.

    Args:
        path: the file.
        wanted_by: the component that wants it, for the error.
        how_to_get: what to do when it is missing, for the error.

    Raises:
        MissingError: there is no such file.
        DataError: it cannot be read.
    """
    if not path.is_file():
        state = "is a folder" if path.is_dir() else "does not exist"
        raise MissingError(f"{wanted_by} needs the weights {path}, which {state}. {how_to_get}")
    try:
        return WeightsFile(path.name, known_file_digest(path), path)
    except OSError as error:
        raise DataError(f"The weights {path} of {wanted_by} cannot be read: {error.strerror}.") from None


def hub_file(path: Path, name: str, *, wanted_by: str, how_to_get: str) -> WeightsFile:
    """Like `weights_file`, for a file whose torchvision name ends with its digest.

    Args:
        path: the file; if its name is ``name``, its digest must begin with the digits at the end of the name.
        name: torchvision's name of the file.
        wanted_by: the component that wants it, for the error.
        how_to_get: what to do when it is missing or damaged, for the error.

    Raises:
        MissingError: there is no such file.
        DataError: it cannot be read, or has another digest than its name says.
    """
    file = weights_file(path, wanted_by=wanted_by, how_to_get=how_to_get)
    if path.name == name and not file.sha256.startswith(Path(name).stem.rpartition("-")[2]):
        raise DataError(
            f"The weights {path} of {wanted_by} are damaged or replaced: their SHA-256 begins with "
            f"{file.sha256[:8]}, not with the digits of the name. {how_to_get}"
        )
    return file


def read_weights(path: Path, sha256: str | None) -> bytes:
    """The bytes of a weight file, read once; they must be those with which its component was built.

    A network of a file in a component's ``weights`` is loaded from these bytes, so a file that was replaced meanwhile
    is never used under the digest of the old one.

    Args:
        path: the file.
        sha256: digest in the component's ``weights``; None accepts any bytes.

    Raises:
        MissingError: there is no such file any more.
        ChangedError: its bytes have changed.
        DataError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise MissingError(f"There is no weights file {path}.") from None
    except OSError as error:
        raise DataError(f"The weights {path} cannot be read: {error.strerror}.") from None
    _refuse_another(path, sha256, hashlib.sha256(data).hexdigest())
    return data


@contextmanager
def unchanged_weights(*files: WeightsFile) -> Iterator[None]:
    """For libraries that open a file themselves: check its digest before and after the block.

    Raises:
        ChangedError: it has changed.
        DataError: it cannot be read.
    """
    _refuse_others(files)
    yield
    _refuse_others(files)


def _refuse_others(files: Sequence[WeightsFile]) -> None:
    for file in files:
        if file.path is not None:
            _refuse_another(file.path, file.sha256, _digest_again(file.path))


def _digest_again(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise DataError(f"The weights {path} cannot be read: {error.strerror}.") from None


def _refuse_another(path: Path, sha256: str | None, current: str) -> None:
    if sha256 is None:
        return
    if current != sha256:
        raise ChangedError(
            f"The weights {path} have changed since this run began (SHA-256 {sha256[:12]} then, {current[:12]} now). "
            "Nothing computed from the new file is kept; run again to use it."
        )
    mark_as_loaded(path, sha256)


def package_file(package: str, relative: str) -> Path | None:
    """Path of a file inside an installed package, without importing it; None if there is none."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, relative)
        if path.is_file():
            return path
    return None


def torch_home() -> Path:
    """Torch's folder of downloads, without importing torch: TORCH_HOME, or ``torch`` in the user's cache."""
    home = os.environ.get("TORCH_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "torch")
    return Path(home).expanduser()


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], header: Mapping[str, object]) -> None:
    """Write a safetensors file atomically: floating-point tensors in half precision, others unchanged.

    Args:
        path: the file.
        tensors: by name.
        header: description for `read_header`; must be JSON.

    Raises:
        BenchError: it cannot be written; no partial file remains.
    """
    import torch
    from safetensors.torch import save

    halved = {
        name: tensor.detach().to("cpu", torch.float16 if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in tensors.items()
    }
    with explain_os_errors(f"Cannot write {path}"):
        write_file(path, save(halved, {HEADER: json.dumps(dict(header), sort_keys=True)}))


def read_header(path: Path) -> dict[str, Any] | None:
    """The header of a weight file, read without torch and without its tensors; None where there is none.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MissingError(f"There is no weights file {path}.")
    try:
        with safe_open(path, "np") as file:
            text = (file.metadata() or {}).get(HEADER)
        header = json.loads(text) if text else None
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise DataError(f"The weights {path} are damaged or of another version of bench: {error}") from None
    return header if isinstance(header, dict) else None


def refuse_other(path: Path, **facts: tuple[object, object]) -> None:
    """Refuse weights whose header differs from the expected one.

    Args:
        path: their file, for the error.
        facts: expected value and value of the file, by name; an expected None accepts anything.

    Raises:
        DataError: the two differ.
    """
    for name, (expected, actual) in facts.items():
        if expected is not None and expected != actual:
            raise DataError(f"The weights {path} are of {name} {actual!r}; {name} {expected!r} was requested.")


def load_state_dict(path: Path, *, sha256: str | None = None) -> dict[str, torch.Tensor]:
    """Read tensors by name from a ``.safetensors`` file or a torch file, running no code stored in it.

    A torch file may hold the tensors themselves or, one level down, under ``state_dict``; a ``module.`` prefix that
    training on several devices leaves on every name is dropped.

    Args:
        path: the file.
        sha256: digest that its bytes must have, see `read_weights`; None accepts any.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        MissingError: there is no such file.
        ChangedError: its bytes do not have the digest ``sha256``.
        DataError: it is truncated, not a weight file, a pickle of other objects, or not tensors by name.
    """
    if not path.is_file():
        raise MissingError(f"There is no weights file {path}.")
    data = read_weights(path, sha256)
    content = _read_safetensors(data, path) if path.suffix == ".safetensors" else _read_torch(data, path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    return _tensors_by_name(content, path)


def load_into(module: torch.nn.Module, state: Mapping[str, torch.Tensor], *, origin: str) -> None:
    """Copy tensors into a module whose names and shapes they must match exactly.

    Args:
        module: the network.
        state: tensors by name.
        origin: their file, for the error.

    Raises:
        DataError: names are missing or unknown, or shapes differ; the first few are listed.
    """
    expected = module.state_dict()
    faults = [f"{name} is missing" for name in expected if name not in state]
    faults += [f"{name} is unknown" for name in state if name not in expected]
    faults += [
        f"{name} is {tuple(state[name].shape)}, not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise DataError(
            f"The weights {origin} do not fit {type(module).__name__}: {'; '.join(faults[:_SHOWN])}{more}. "
            "Give the weights of this network."
        )
    module.load_state_dict(dict(state))


def _read_safetensors(data: bytes, path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(data)
    except (SafetensorError, OSError) as error:
        raise DataError(f"The weights {path} are truncated or no safetensors file: {error}") from None


def _read_torch(data: bytes, path: Path) -> object:
    import pickle

    import torch

    try:
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise DataError(
            f"The weights {path} are refused: the file is a pickle that holds other objects than tensors (loading them "
            "could run code), or no torch file at all. Save the plain state dict, or better a .safetensors file."
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, IndexError, TypeError) as error:
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"The weights {path} are truncated or no torch file ({cause}).") from None


def _tensors_by_name(content: object, path: Path) -> dict[str, torch.Tensor]:
    import torch

    if not isinstance(content, Mapping):
        raise DataError(f"The weights {path} hold one {type(content).__name__}, not tensors by name.")
    odd = [f"{name!r} is {type(value).__name__}" for name, value in content.items() if not torch.is_tensor(value)]
    if odd or not content:
        raise DataError(f"The weights {path} are not tensors by name: {'; '.join(odd[:_SHOWN]) or 'there are none'}.")
    names = [str(name) for name in content]
    prefix = "module." if all(name.startswith("module.") for name in names) else ""
    return {str(name).removeprefix(prefix): value for name, value in content.items()}
