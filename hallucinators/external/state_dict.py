"""Weight files of other authors: read as plain tensors, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bench.errors import DataError, one_line
from bench.types import WeightsFile
from bench.weights import unchanged_weights

Trust = Literal["no", "yes-i-trust-this-file"]


def read_state(path: Path, *, trust: Trust = "no", shapes_only: bool = False, sha256: str | None = None) -> object:
    """Read a ``.safetensors`` file or a torch file.

    A torch file may hold tensors, numbers, texts and containers of them; other objects would be built by code that the
    file names, and are refused unless the user trusts the file.

    Args:
        path: the file, which exists.
        trust: whether a pickle may run code, and TorchScript be opened.
        shapes_only: return tensors without values (torch's ``meta`` device), which is fast.
        sha256: digest that its bytes must have; None takes any.

    Returns:
        The content of the file: usually tensors by name, at the top or one level down (``params_ema``).

    Raises:
        ChangedError: its bytes are others than those of ``sha256``.
        DataError: it is damaged, no weights file, or holds refused objects.
    """
    with unchanged_weights(*([WeightsFile(path.name, sha256, path)] if sha256 else [])):
        if path.suffix.lower() == ".safetensors":
            return _read_safetensors(path, shapes_only=shapes_only)
        return _read_trusted(path) if trust != "no" else _read_torch(path, "meta" if shapes_only else "cpu")


def _read_safetensors(path: Path, *, shapes_only: bool) -> object:
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            if shapes_only:
                shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118  # no mapping
                return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"The weights {path} are truncated or no safetensors file: {one_line(error)}") from None


def _read_torch(path: Path, device: str) -> object:
    import pickle

    try:
        return _load(path, device, plain=True)
    except pickle.UnpicklingError:
        raise DataError(
            f"The weights {path} are refused: the file is a pickle that holds other objects than tensors (loading them "
            "could run code), or no torch file at all. Take a .safetensors file or a plain state dict; or, where you "
            "know who made the file, say unsafe_pickle=yes-i-trust-this-file."
        ) from None
    except Exception as error:  # noqa: BLE001  # damaged files raise nearly anything
        if "TorchScript" in str(error):
            raise DataError(
                f"The weights {path} are refused: the file is TorchScript, which is a program. Save its state "
                "dict; or, where you know who made the file, say unsafe_pickle=yes-i-trust-this-file."
            ) from None
        raise DataError(f"The weights {path} are truncated or no torch file ({one_line(error)}).") from None


def _read_trusted(path: Path) -> object:
    import torch

    try:
        content = _load(path, "cpu", plain=False)
    except Exception as error:  # noqa: BLE001  # any code may have run
        raise DataError(f"The weights {path} cannot be loaded ({type(error).__name__}: {one_line(error)}).") from None
    return content.state_dict() if isinstance(content, torch.nn.Module) else content


def _load(path: Path, device: str, *, plain: bool) -> object:
    import warnings

    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that it passes a TorchScript file on
        return torch.load(path, map_location=device, weights_only=plain)
