"""Weight files of networks: tensors in half precision, and a header that names the network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from bench.weights import load_into, load_state_dict, save_tensors
from hallucinators.networks.weight_file import Facts

Network = TypeVar("Network", bound=nn.Module)


def save_weights(path: Path, network: nn.Module, facts: Facts, *, parts: Collection[str] | None = None) -> None:
    """Write a weight file atomically.

    Args:
        path: the file.
        network: its weights are written.
        facts: the header.
        parts: names of the submodules that are written; None writes all.

    Raises:
        BenchError: it cannot be written.
    """
    state = network.state_dict()
    if parts is not None:
        state = {name: tensor for name, tensor in state.items() if name.split(".")[0] in parts}
    save_tensors(path, state, asdict(facts))


def fill(network: Network, path: Path, *, sha256: str | None = None) -> Network:
    """Load a weight file into a network and prepare it for inference: evaluation mode, no gradients.

    Args:
        network: with initial weights.
        path: the file.
        sha256: required digest of the file; None takes any.

    Raises:
        ChangedError: the file has another digest.
        DataError: names or shapes differ.
    """
    load_tensors(network, load_state_dict(path, sha256=sha256), path)
    return network.eval().requires_grad_(False)


def load_tensors(
    network: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, parts: Collection[str] | None = None
) -> None:
    """Copy the tensors of a weight file into a network, in single precision.

    Args:
        network: the network.
        tensors: by name.
        path: the file, for messages.
        parts: names of the submodules that the file holds; None for the whole network.

    Raises:
        DataError: names or shapes differ.
    """
    for part in [""] if parts is None else parts:
        module = network.get_submodule(part)
        prefix = f"{part}." if part else ""
        types = {name: value.dtype for name, value in module.state_dict().items()}
        state = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        load_into(module, {n: t.to(types[n]) if n in types else t for n, t in state.items()}, origin=str(path))
