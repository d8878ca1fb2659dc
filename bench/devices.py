"""The devices of this machine by torch's names, and the number of processor threads."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import UsageError

CPU = "cpu"


def resolve_device(name: str) -> str:
    """The device that a name stands for on this machine.

    Args:
        name: ``cpu``, ``cuda``, ``cuda:N``, ``mps``, or ``auto`` for the first available one of ``cuda``, ``mps``
            and ``cpu``.

    Returns:
        The name; for ``auto`` the selected one. Torch is imported only for a device other than ``cpu``.

    Raises:
        UsageError: the device is not available; the text lists those that are.
    """
    if name == CPU:
        return CPU
    cards, has_mps = _cards(), _has_mps()
    if name == "auto":
        return "cuda" if cards else "mps" if has_mps else CPU
    cuda_names = [f"cuda:{number}" for number in range(len(cards))]
    if (name == "cuda" and cards) or name in cuda_names or (name == "mps" and has_mps):
        return name
    raise UsageError(f"There is no device {name!r} here. Devices: {', '.join(available_devices())}; or give auto.")


def available_devices() -> tuple[str, ...]:
    """The devices of this machine, cards with their names."""
    cards = tuple(f"cuda:{number} ({card})" for number, card in enumerate(_cards()))
    return (CPU, *cards, *(("mps",) if _has_mps() else ()))


def describe_device(name: str) -> str:
    """A device with the name of its card, for a record: ``cuda (NVIDIA H200)``."""
    kind, _, number = name.partition(":")
    cards = _cards() if kind == "cuda" and number in ("", *map(str, range(64))) else ()
    index = int(number or 0)
    return f"{name} ({cards[index]})" if index < len(cards) else name


def cpu_threads(threads: int) -> int:
    """Number of threads: ``threads`` itself, or, for 0, the number of cores that this process may use."""
    if threads > 0:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Set torch's number of threads inside the block and restore it afterwards; 0 changes nothing."""
    import torch

    before = torch.get_num_threads()
    if threads > 0:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cards() -> tuple[str, ...]:
    """Names of the CUDA cards that torch can use; empty where torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        return ()
    import torch

    if not torch.cuda.is_available():
        return ()
    return tuple(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))


def _has_mps() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.backends.mps.is_available()
