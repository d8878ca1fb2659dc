"""TorchScript archives, which are programs: opened only where the user has said that they may run."""

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
        trusted: whether the user has said so, or the file is a published one.
        allow: how to say so, for the error.

    Raises:
        MissingError: there is no such file.
        DataError: it is not trusted, or no TorchScript archive.
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
    except Exception as error:  # noqa: BLE001  # damaged files raise nearly anything
        raise DataError(f"{path} is no TorchScript archive: {one_line(error)}") from None
