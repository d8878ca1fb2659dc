"""The header of a weight file, read without torch, so that weights which cannot serve are refused at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.errors import DataError


def check_header(path: Path, network: str, lr: int, *, fine: bool) -> None:
    """Refuse weights that cannot serve before any face is looked at.

    Args:
        path: the file.
        network: that is wanted.
        lr: side of LR faces that is wanted; 0 for a network that takes several.
        fine: the whole network is wanted, not the coarse one alone.

    Raises:
        DataError: they are of another network or size, damaged, or hold no more than the coarse network.
    """
    found = _read(path)
    for what, wanted in (("network", network), ("lr", lr)):
        if found[what] != wanted:
            raise DataError(f"The weights {path} are of {what} {found[what]!r}; {what} {wanted!r} was asked for.")
    if fine and not found["fine"]:
        raise DataError(f"The weights {path} hold the coarse network alone; take output=coarse.")


def lr_of(path: Path) -> int:
    """Side of the LR faces that weights take; 0 for a network that takes several.

    Raises:
        DataError: they are damaged, or no weight file of VividGAN.
    """
    return int(_read(path)["lr"])


def _read(path: Path) -> dict[str, Any]:
    """``network``, ``lr`` and ``fine`` of a header."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {}).get("bench", ""))
        return {"network": header["network"], "lr": int(header["lr"]), "fine": header["fine"]}
    except (SafetensorError, OSError, ValueError, TypeError, KeyError):
        from hallucinators.vividgan.files import read_facts

        facts = read_facts(path)  # says what is wrong, at the price of torch
        return {"network": facts.network, "lr": facts.lr, "fine": facts.fine}
