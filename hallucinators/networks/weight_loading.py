"""Weight files of networks: tensors in half precision, and in the header what network they are of."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from torch import nn

from bench.weights import load_into, load_state_dict, save_tensors
from hallucinators.networks.weight_file import Facts


def save_weights(path: Path, network: nn.Module, facts: Facts) -> None:
    """Write a weight file in one step.

    Raises:
        BenchError: it cannot be written.
    """
    save_tensors(path, network.state_dict(), asdict(facts))


def fill(network: nn.Module, path: Path, *, sha256: str | None = None) -> nn.Module:
    """A network filled from its weight file, ready to be used: evaluation mode, no gradients.

    Args:
        network: with first weights.
        path: the file.
        sha256: digest that its bytes must have; None takes any.

    Raises:
        ChangedError: its bytes are others than those of ``sha256``.
        DataError: names or shapes differ.
    """
    wanted = network.state_dict()
    state = {
        name: tensor.float() if name in wanted and wanted[name].is_floating_point() else tensor
        for name, tensor in load_state_dict(path, sha256=sha256).items()
    }
    load_into(network, state, origin=str(path))
    return network.eval().requires_grad_(False)
