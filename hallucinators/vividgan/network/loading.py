"""VividGAN's network from its weight file, and back."""

from __future__ import annotations

from pathlib import Path

from bench.weights import load_state_dict, refuse_other
from hallucinators.networks import weight_loading
from hallucinators.vividgan.network.flow import FlowCoarseNet
from hallucinators.vividgan.network.model import VividGAN
from hallucinators.vividgan.network.weight_file import Facts, Network, read_facts


def build(facts: Facts) -> VividGAN:
    """The network that a header describes, with initial weights."""
    return VividGAN(
        lr=facts.lr or 32,
        preset=facts.preset,
        touchup=facts.touchup,
        component_aware=facts.component_aware,
        carry=facts.carry,
        coarse=FlowCoarseNet(depth=facts.depth) if facts.network == "vividgan-flow" else None,
    )


def save_weights(path: Path, model: VividGAN, facts: Facts) -> None:
    """Write the networks that the header names to a weight file, atomically.

    Raises:
        BenchError: it cannot be written.
    """
    weight_loading.save_weights(path, model, facts, parts=_parts(facts))


def load_weights(
    path: Path, *, network: Network | None = None, lr: int | None = None, sha256: str | None = None
) -> tuple[VividGAN, Facts]:
    """Build the network of a weight file and load its weights.

    Args:
        path: the file.
        network: the required network; None takes any.
        lr: the required side of LR faces; None takes any.
        sha256: required digest of the file; None takes any.

    Raises:
        MissingError: there is no such file.
        ChangedError: the file has another digest.
        DataError: it is damaged, of another network or size.
    """
    tensors = load_state_dict(path, sha256=sha256)
    facts = read_facts(path)
    refuse_other(path, network=(network, facts.network), lr=(lr, facts.lr))
    model = build(facts)
    weight_loading.load_tensors(model, tensors, path, parts=_parts(facts))
    return model.eval(), facts


def _parts(facts: Facts) -> list[str]:
    """Names of the networks a file holds."""
    touchup = ["touchup"] if facts.touchup and facts.fine else []
    return ["coarse", *touchup, *(["fine"] if facts.fine else [])]
