"""Weight files of VividGAN: tensors in half precision, and in the header what network they are of."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from torch import nn

from bench.weights import load_into, load_state_dict, refuse_other, save_tensors
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.network.model import VividGAN
from hallucinators.vividgan.network.weight_file import Facts, Network, read_facts


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
    save_tensors(path, state, asdict(facts))


def load_weights(
    path: Path, *, network: Network | None = None, lr: int | None = None, sha256: str | None = None
) -> tuple[VividGAN, Facts]:
    """Build the network of a weight file and fill it.

    Args:
        path: the file.
        network: the network that is wanted; None takes any.
        lr: side of LR faces that is wanted.
        sha256: digest that its bytes must have; None takes any.

    Raises:
        MissingError: there is no such file.
        ChangedError: its bytes are others than those of ``sha256``.
        DataError: it is damaged, of another network or size.
    """
    held = load_state_dict(path, sha256=sha256)
    facts = read_facts(path)
    refuse_other(path, network=(network, facts.network), lr=(lr, facts.lr))
    model = build(facts)
    state = {name: tensor.float() for name, tensor in held.items()}
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
