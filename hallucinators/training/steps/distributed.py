"""Communication between the processes of torchrun; all functions do nothing for a single process.

Every process computes its share of a step, gradients are averaged over processes before each optimiser's step, and only
the process of rank 0 validates and writes. The number of processes is read from the environment (``RANK``,
``WORLD_SIZE``, ``LOCAL_RANK``), so that a source of batches can be built before the process group.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import torch
from torch import Tensor, nn
from torch import distributed as dist

from bench.devices import resolve_device
from bench.errors import UsageError


def rank() -> int:
    """Number of this process, from 0."""
    return _from_environment("RANK", 0)


def world_size() -> int:
    """Number of processes."""
    return _from_environment("WORLD_SIZE", 1)


def _from_environment(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdigit():
        raise UsageError(f"The environment variable {name} is {text!r}; torchrun sets it to a whole number")
    return int(text)


def device_of(name: str) -> torch.device:
    """The device of this process; ``cuda`` is the GPU of its local rank.

    Raises:
        UsageError: there is no such device, or no GPU of that rank.
    """
    device = torch.device(resolve_device(name))
    if device.type != "cuda":
        return device
    index = device.index if device.index is not None else _from_environment("LOCAL_RANK", 0)
    return torch.device(resolve_device(f"cuda:{index}"))


@contextmanager
def processes(device: torch.device) -> Iterator[None]:
    """Initialise the process group for the block; nothing to do for one process or an existing group."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if world_size() == 1 or dist.is_initialized():
        yield
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
        dist.barrier()  # without it, a process that ended while rank 0 was writing has aborted
    finally:
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their means over all processes, in one exchange per dtype.

    Parameters without a gradient are left without one; they must be the same in all processes. A value that is not
    finite in one process is not finite in all of them afterwards, so they agree on undoing a step.
    """
    if world_size() == 1:
        return
    gradients: dict[torch.dtype, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            gradients.setdefault(parameter.grad.dtype, []).append(parameter.grad)
    for same in gradients.values():
        flat = torch.cat([gradient.reshape(-1) for gradient in same])
        dist.all_reduce(flat)
        flat /= world_size()
        shares = torch.split(flat, [gradient.numel() for gradient in same])
        for gradient, mean in zip(same, shares, strict=True):
            gradient.copy_(mean.view(gradient.shape))


@torch.no_grad()
def broadcast_state(modules: Iterable[nn.Module]) -> None:
    """Give every process the parameters and buffers of rank 0."""
    if world_size() == 1:
        return
    for module in modules:
        for tensor in chain(module.parameters(), module.buffers()):
            whole = tensor.detach().contiguous()  # channels_last is dense, but not in the order that is sent
            dist.broadcast(whole, src=0)
            tensor.copy_(whole)


def means(values: Sequence[float]) -> list[float]:
    """Means over processes."""
    if world_size() == 1 or not values:
        return list(values)
    numbers = torch.tensor(values, dtype=torch.float64, device=_exchange_device())
    dist.all_reduce(numbers)
    return [float(value) for value in (numbers / world_size()).tolist()]


def anywhere(flags: Sequence[bool]) -> list[bool]:
    """Whether each flag is set in any process."""
    return [value > 0 for value in means([float(flag) for flag in flags])]


def from_rank_0(value: int) -> int:
    """The value of rank 0."""
    if world_size() == 1:
        return value
    number = torch.tensor(value, dtype=torch.int64, device=_exchange_device())
    dist.broadcast(number, src=0)
    return int(number)


def gather(tensor: Tensor) -> list[Tensor]:
    """The tensors of all processes by rank, on the CPU; all of one shape."""
    if world_size() == 1:
        return [tensor]
    mine = tensor.to(_exchange_device())
    every = [torch.empty_like(mine) for _ in range(world_size())]
    dist.all_gather(every, mine)
    return [one.cpu() for one in every]


def _exchange_device() -> torch.device:
    """Device on which tensors are exchanged."""
    return torch.device("cuda", torch.cuda.current_device()) if dist.get_backend() == "nccl" else torch.device("cpu")
