"""The header of a weight file: which network it holds. Read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bench.errors import DataError
from bench.weights import read_header, refuse_other


@dataclass(frozen=True)
class Facts:
    """The content of a header.

    Attributes:
        network: name of the method, as on the command line.
        lr: side of the LR faces it was trained on; 0 if it takes faces of any size.
        preset: name of its sizes.
        trained: facts about the training, for the card: data, samples, minutes.
    """

    network: str
    lr: int
    preset: str
    trained: Mapping[str, Any] = field(default_factory=dict)


AnyFacts = TypeVar("AnyFacts", bound=Facts)


def parse_facts(path: Path, header: Mapping[str, Any], kind: type[AnyFacts]) -> AnyFacts:
    """A header as the dataclass of its method.

    Args:
        path: the weight file, for messages.
        header: its header.
        kind: the dataclass.

    Raises:
        DataError: the header has other fields.
    """
    try:
        return kind(**header)
    except TypeError as error:
        raise DataError(f"The weights {path} are of another version of bench: {error}") from None


def read_facts(path: Path, *, network: str, lr: int) -> Facts:
    """Read the header of a weight file and check its network and size.

    Args:
        path: the file.
        network: the required network.
        lr: the required side of LR faces; 0 for a network of all sizes.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, was not written by bench, or is of another network or size.
    """
    header = read_header(path)
    if header is None:
        raise DataError(f"The weights {path} have no header of bench; `bench train {network}` writes files that have.")
    facts = parse_facts(path, header, Facts)
    refuse_other(path, network=(network, facts.network), lr=(lr, facts.lr))
    return facts
