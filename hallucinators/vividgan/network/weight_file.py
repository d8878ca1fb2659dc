"""The header of VividGAN's weight files, read without torch, so that unsuitable files are refused at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bench.errors import DataError
from bench.weights import read_header, refuse_other
from hallucinators.networks import weight_file

Network = Literal["vividgan", "vividgan-flow"]
Preset = Literal["paper", "compact"]
MOST_DEPTH = 60
"""Largest number of residual blocks added to the flow network."""
_SIDES: Mapping[str, tuple[int, ...]] = {"vividgan": (16, 32), "vividgan-flow": (0,)}


@dataclass(frozen=True)
class Facts(weight_file.Facts):
    """The content of a header; ``lr`` is 0 for a network that takes any side from 12 to 36.

    Attributes:
        network: which coarse network: the paper's, or the flow network.
        touchup: whether it has touching-up networks.
        component_aware: whether it has hourglasses and the integration block.
        fine: False if only the coarse network was trained.
        carry: whether the paper's coarse network adds to the aligned LR image.
        depth: residual blocks added to the flow network (`FlowCoarseNet`); 0 for the paper's network.
    """

    network: Network
    preset: Preset
    touchup: bool = True
    component_aware: bool = True
    fine: bool = True
    carry: bool = True
    depth: int = 0


def read_facts(path: Path) -> Facts:
    """Read the header of a weight file.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, or not a weight file of VividGAN.
    """
    header = read_header(path)
    # Older files have no entry ``carry``: their networks add to grey.
    facts = weight_file.parse_facts(path, {"carry": False, **header}, Facts) if header else None
    try:
        known = (
            facts is not None
            and _fits(facts)
            and facts.preset in get_args(Preset)
            and facts.lr in _SIDES.get(facts.network, ())
        )
    except TypeError:  # a value without a hash
        known = False
    if facts is None or not known:
        raise DataError(
            f"The weights {path} are no VividGAN that `bench train vividgan` wrote: their header is "
            f"{str(header)[:80] if header else None!r}."
        )
    return facts


def _fits(facts: Facts) -> bool:
    """Whether the depth is one of the flow network; the paper's network has none."""
    most = MOST_DEPTH if facts.network == "vividgan-flow" else 0
    return isinstance(facts.depth, int) and 0 <= facts.depth <= most and facts.depth % 3 == 0


def check_header(path: Path, network: str, lr: int, *, fine: bool) -> None:
    """Refuse unsuitable weights before any face is processed.

    Args:
        path: the file.
        network: the required network.
        lr: the required side of LR faces; 0 for a network of several sides.
        fine: whether the whole network is required, not only the coarse one.

    Raises:
        DataError: they are of another network or size, damaged, or hold only the coarse network.
    """
    facts = read_facts(path)
    refuse_other(path, network=(network, facts.network), lr=(lr, facts.lr))
    if fine and not facts.fine:
        raise DataError(f"The weights {path} hold the coarse network alone; take output=coarse.")
