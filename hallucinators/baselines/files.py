"""Weight files of baselines: tensors in half precision, and in the header what network they are of."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from bench.errors import BenchError
from bench.weights import load_into, load_state_dict
from hallucinators.baselines.header import KEY, Facts


def save_weights(path: Path, network: nn.Module, facts: Facts) -> None:
    """Write a weight file in one step.

    Raises:
        BenchError: it cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    state = {
        name: tensor.detach().to("cpu", torch.float16 if tensor.is_floating_point() else tensor.dtype).contiguous()
        for name, tensor in network.state_dict().items()
    }
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(state, partial, {KEY: json.dumps(asdict(facts), sort_keys=True)})
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise BenchError(f"Cannot write {path}: {getattr(error, 'strerror', None) or error}.") from error
    finally:
        with suppress(OSError):  # where even that fails there was no file to remove
            partial.unlink()


def fill(network: nn.Module, path: Path) -> nn.Module:
    """A network filled from its weight file, ready to be used: evaluation mode, no gradients.

    Raises:
        DataError: names or shapes differ.
    """
    wanted = network.state_dict()
    state = {
        name: tensor.float() if name in wanted and wanted[name].is_floating_point() else tensor
        for name, tensor in load_state_dict(path).items()
    }
    load_into(network, state, origin=str(path))
    return network.eval().requires_grad_(False)
