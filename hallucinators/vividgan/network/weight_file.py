"""What a weight file of VividGAN is of, told by its header without torch: what cannot serve is refused at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from bench.errors import DataError
from bench.weights import read_header, refuse_other

Network = Literal["vividgan", "vividgan-flow"]
Preset = Literal["paper", "compact"]
_SIDES: Mapping[str, tuple[int, ...]] = {"vividgan": (16, 32), "vividgan-flow": (0,)}


@dataclass(frozen=True)
class Facts:
    """What a weight file is of.

    Attributes:
        network: which coarse network: the paper's, or the one that carries pixels by flow.
        lr: side of the LR faces it was trained on; 0 where it takes any from 12 to 36.
        preset: sizes by name.
        touchup: whether it has touching-up networks.
        component_aware: whether it has hourglasses and the integration block.
        fine: False where only the coarse network was trained.
        trained: how it was trained, for the card: data, steps, figures.
        carry: whether the paper's coarse network adds to the aligned LR picture.
    """

    network: Network
    lr: int
    preset: Preset
    touchup: bool = True
    component_aware: bool = True
    fine: bool = True
    trained: Mapping[str, Any] = field(default_factory=dict)
    carry: bool = True


def read_facts(path: Path) -> Facts:
    """What a weight file is of, without reading its tensors.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, or no weight file of VividGAN.
    """
    found = read_header(path)
    try:
        facts = Facts(**{"carry": False, **found}) if found else None  # older files do not say
        known = facts is not None and facts.preset in get_args(Preset) and facts.lr in _SIDES.get(facts.network, ())
    except TypeError as error:
        raise DataError(f"The weights {path} are of another version of bench: {error}") from None
    if facts is None or not known:
        raise DataError(
            f"The weights {path} are no VividGAN that `bench train vividgan` wrote: their header says "
            f"{str(found)[:80] if found else None!r}."
        )
    return facts


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
    facts = read_facts(path)
    refuse_other(path, network=(network, facts.network), lr=(lr, facts.lr))
    if fine and not facts.fine:
        raise DataError(f"The weights {path} hold the coarse network alone; take output=coarse.")


def lr_of(path: Path) -> int:
    """Side of the LR faces that weights take; 0 for a network that takes several.

    Raises:
        DataError: they are damaged, or no weight file of VividGAN.
    """
    return read_facts(path).lr
