"""The header of a weight file, read without torch, so that weights which cannot serve are refused at once."""

from __future__ import annotations

import json
from pathlib import Path

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
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            header = json.loads((file.metadata() or {}).get("bench", ""))
        found = {"network": header["network"], "lr": header["lr"]}
        whole = header["fine"]
    except (SafetensorError, OSError, ValueError, TypeError, KeyError):
        from hallucinators.vividgan.files import read_facts

        facts = read_facts(path)  # says what is wrong, at the price of torch
        found, whole = {"network": facts.network, "lr": facts.lr}, facts.fine
    for what, wanted in (("network", network), ("lr", lr)):
        if found[what] != wanted:
            raise DataError(f"The weights {path} are of {what} {found[what]!r}; {what} {wanted!r} was asked for.")
    if fine and not whole:
        raise DataError(f"The weights {path} hold the coarse network alone; take output=coarse.")
