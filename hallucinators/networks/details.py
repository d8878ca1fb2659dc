"""What ``bench list`` tells of a trained network beside its summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import prod
from pathlib import Path

from bench.registry import Details
from hallucinators.networks.shipped import SHIPPED


def details(
    files: Sequence[str],
    *,
    sizes: str,
    aligned: str,
    paper_parameters: str,
    departures: Sequence[str],
) -> Details:
    """Sizes, alignment, parameters and departures of a network.

    Args:
        files: names of its shipped weight files.
        sizes: what it takes and gives.
        aligned: whether faces are brought upright before it, and whether it makes them frontal.
        paper_parameters: how many its paper's network has.
        departures: where the implementation departs from the paper.
    """
    shipped = [f"{_counted(SHIPPED / name)} ({name})" for name in files if (SHIPPED / name).is_file()]
    return {
        "sizes": sizes,
        "aligned": aligned,
        "parameters": f"paper {paper_parameters}; shipped {', '.join(shipped) or 'none'}",
        "departures": tuple(departures),
    }


def _counted(path: Path) -> str:
    try:
        return f"{count_parameters(path):,}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "unknown, since its file is damaged"


def count_parameters(path: Path) -> int:
    """Numbers a safetensors file holds, running statistics of norms among them, read from its header alone."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, path.stat().st_size)))  # a damaged length may be of any size
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
