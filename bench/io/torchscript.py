"""TorchScript archives are programs: they are opened only if the user allows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import DataError, MissingError, one_line

if TYPE_CHECKING:
    import torch


def load_torchscript(path: Path, *, device: str, trusted: bool, allow: str) -> torch.jit.ScriptModule:
    """Open a TorchScript archive that the user trusts.

    Args:
        path: the archive.
        device: torch device.
        trusted: whether the user allows it, or the file is a published one.
        allow: how to allow it, for the error.

    Raises:
        MissingError: there is no such file.
        DataError: it is not trusted, or is not a TorchScript archive.
    """
    import torch

    if not path.is_file():
        raise MissingError(f"There is no weights file {path}.")
    if not trusted:
        raise DataError(
            f"The weights {path} are refused: a TorchScript archive is a program, which can read, write and send files "
            f"as soon as it is run. If you know its author: {allow}."
        )
    try:
        return torch.jit.load(str(path), map_location=device).eval()  # type: ignore[no-untyped-call, no-any-return]
    except Exception as error:  # noqa: BLE001  # damaged files raise many classes
        raise DataError(f"{path} is not a TorchScript archive: {one_line(error)}") from None
