"""The header of a baseline's weight file: what network it is of. Read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.weights import read_header, refuse_other


@dataclass(frozen=True)
class Facts:
    """What a weight file is of.

    Attributes:
        network: by name, as on the command line.
        lr: side of the LR faces it was trained on; 0 where it takes faces of any size.
        preset: sizes by name.
        trained: how it was trained, for the card: data, samples, minutes.
    """

    network: str
    lr: int
    preset: str
    trained: Mapping[str, Any] = field(default_factory=dict)


def read_facts(path: Path, *, network: str, lr: int) -> Facts:
    """What a weight file is of, which must be what is wanted.

    Args:
        path: the file.
        network: that is wanted.
        lr: side of LR faces that is wanted; 0 for a network that takes any.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, no baseline's, or of another network or size.
    """
    found = read_header(path)
    if found is None:
        raise DataError(f"The weights {path} have no header of bench; `bench train {network}` writes files that have.")
    try:
        facts = Facts(**found)
    except TypeError as error:
        raise DataError(f"The weights {path} are of another version of bench: {error}") from None
    refuse_other(path, network=(network, facts.network), lr=(lr, facts.lr))
    return facts
