"""Registration of trained methods: the hallucinator for `bench list`, and the module that trains it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TypeVar

from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.registry import Details
from hallucinators.networks.shipped import SHIPPED, shipped_missing, shipped_name

Method = TypeVar("Method", bound=type[Hallucinator])

LICENCE = "code Apache-2.0; weights for non-commercial research (trained on UTKFace)"
ALIGNER = "stn"
"""The method whose output super-resolution networks for upright faces take."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How a method is trained.

    Attributes:
        module: module with the functions ``stages`` and ``export``; it is imported for training only.
        baseline: whether ``bench train all`` trains it.
        any_size: whether one training serves LR faces of all sizes.
        after_aligner: whether it is trained on faces of the trained `ALIGNER`.
    """

    module: str
    baseline: bool = True
    any_size: bool = False
    after_aligner: bool = False


TRAINERS: dict[str, Trainer] = {}
"""Trainers by name of the method."""


def register_method(
    name: str,
    *,
    summary: str,
    source: str,
    sizes: str,
    aligned: str,
    paper_parameters: str,
    departures: Sequence[str],
    trainer: Trainer,
    files: Sequence[str] = (),
    needs: Sequence[str] = (),
) -> Callable[[Method], Method]:
    """Register the decorated hallucinator, and its trainer under the same name.

    Args:
        name: as written on the command line.
        summary: one sentence.
        source: the paper.
        sizes: input and output sizes.
        aligned: whether it aligns faces and whether it makes them frontal.
        paper_parameters: number of parameters of the paper's network.
        departures: differences from the paper.
        trainer: how it is trained.
        files: names of the shipped weight files; by default one for 16 x 16 and one for 32 x 32.
        needs: the method cannot run by its bare name if none of these is shipped; by default the first of ``files``.
    """
    TRAINERS[name] = trainer
    weights = tuple(files) or (shipped_name(name, 16), shipped_name(name, 32))

    def missing() -> str | None:
        reason = shipped_missing(name, *(needs or weights[:1]))
        return reason or (shipped_missing(ALIGNER, shipped_name(ALIGNER, 16)) if trainer.after_aligner else None)

    def details() -> Details:
        shipped = [f"{_count_text(SHIPPED / file)} ({file})" for file in weights if (SHIPPED / file).is_file()]
        return {
            "sizes": sizes,
            "aligned": aligned,
            "parameters": f"paper {paper_parameters}; shipped {', '.join(shipped) or 'none'}",
            "departures": tuple(departures),
        }

    return HALLUCINATORS.register(
        name, summary=summary, source=source, licence=LICENCE, missing=missing, details=details
    )


def _count_text(path: Path) -> str:
    try:
        return f"{count_parameters(path):,}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "unknown, since its file is damaged"


def count_parameters(path: Path) -> int:
    """Number of values in a safetensors file, statistics of normalisation layers included, from its header alone."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(min(length, path.stat().st_size)))  # a damaged length may have any value
    return sum(prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
