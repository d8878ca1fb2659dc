"""Weight files of VividGAN: tensors in half precision, and in the header what network they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from torch import nn

from bench.errors import DataError, MissingError
from bench.weights import load_into, load_state_dict, save_tensors
from hallucinators.vividgan.flow import FlowCoarseNet
from hallucinators.vividgan.model import PRESETS, Preset, VividGAN

Network = Literal["vividgan", "vividgan-flow"]
_KEY = "bench"


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


def build(facts: Facts) -> VividGAN:
    """The network of a weight file, with first weights."""
    return VividGAN(
        lr=facts.lr or 32,
        preset=facts.preset,
        touchup=facts.touchup,
        component_aware=facts.component_aware,
        carry=facts.carry,
        coarse=FlowCoarseNet() if facts.network == "vividgan-flow" else None,
    )


def save_weights(path: Path, model: VividGAN, facts: Facts) -> None:
    """Write a weight file in one step.

    Raises:
        BenchError: it cannot be written.
    """
    parts = _parts(facts)
    state = {name: tensor for name, tensor in model.state_dict().items() if name.split(".")[0] in parts}
    save_tensors(path, state, {_KEY: json.dumps(asdict(facts), sort_keys=True)})


def read_facts(path: Path) -> Facts:
    """What a weight file is of, without reading its tensors.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, or no weight file of VividGAN.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MissingError(f"There is no weights file {path}.")
    try:
        with safe_open(path, "pt") as file:
            header = (file.metadata() or {}).get(_KEY)
        found = json.loads(header) if header else None
        facts = Facts(**{"carry": False, **found}) if isinstance(found, dict) else None  # older files do not say
        known = facts is not None and facts.network in get_args(Network) and facts.preset in PRESETS
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DataError(f"The weights {path} are damaged or of another version of bench: {error}") from None
    if facts is None or not known or facts.lr not in ((16, 32) if facts.network == "vividgan" else (0,)):
        raise DataError(
            f"The weights {path} are no VividGAN that `bench train vividgan` wrote: their header says "
            f"{header if header is None else header[:80]!r}."
        )
    return facts


def load_weights(path: Path, *, network: Network | None = None, lr: int | None = None) -> tuple[VividGAN, Facts]:
    """Build the network of a weight file and fill it.

    Args:
        path: the file.
        network: the network that is wanted; None takes any.
        lr: side of LR faces that is wanted.

    Raises:
        MissingError: there is no such file.
        DataError: it is damaged, of another network or size.
    """
    facts = read_facts(path)
    for what, wanted, found in (("network", network, facts.network), ("lr", lr, facts.lr)):
        if wanted is not None and wanted != found:
            raise DataError(f"The weights {path} are of {what} {found!r}; {what} {wanted!r} was asked for.")
    model = build(facts)
    state = {name: tensor.float() for name, tensor in load_state_dict(path).items()}
    for part in _parts(facts):
        own = {n.removeprefix(f"{part}."): t for n, t in state.items() if n.startswith(f"{part}.")}
        load_into(getattr(model, part), own, origin=str(path))
    return model.eval(), facts


def _parts(facts: Facts) -> list[str]:
    """Names of the networks a file holds."""
    present = {"coarse": True, "touchup": facts.touchup and facts.fine, "fine": facts.fine}
    return [name for name, there in present.items() if there]


def count_parameters(module: nn.Module) -> int:
    """Numbers that are learned."""
    return sum(parameter.numel() for parameter in module.parameters())
