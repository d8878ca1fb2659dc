"""Where networks compute: the devices of this machine, by torch's names, and how many processor threads."""

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
        name: ``cpu``, ``cuda``, ``cuda:N``, ``mps``, or ``auto`` for the first of ``cuda``, ``mps`` and ``cpu`` that is
            here.

    Returns:
        The name; for ``auto`` the one that was picked. Torch is imported only where another device than ``cpu`` is
        asked for.

    Raises:
        UsageError: there is no such device here; the text lists those that are.
    """
    if name == CPU:
        return CPU
    cards, has_mps = _cards(), _has_mps()
    if name == "auto":
        return "cuda" if cards else "mps" if has_mps else CPU
    places = [f"cuda:{number}" for number in range(len(cards))]
    if (name == "cuda" and cards) or name in places or (name == "mps" and has_mps):
        return name
    raise UsageError(f"There is no device {name!r} here. Devices: {', '.join(devices_here())}; or say auto.")


def devices_here() -> tuple[str, ...]:
    """The devices of this machine, cards with their names."""
    cards = tuple(f"cuda:{number} ({card})" for number, card in enumerate(_cards()))
    return (CPU, *cards, *(("mps",) if _has_mps() else ()))


def describe_device(name: str) -> str:
    """A device with the name of its card, for a record: ``cuda (NVIDIA H200)``."""
    kind, _, number = name.partition(":")
    cards = _cards() if kind == "cuda" and number in ("", *map(str, range(64))) else ()
    place = int(number or 0)
    return f"{name} ({cards[place]})" if place < len(cards) else name


def cpu_threads(threads: int) -> int:
    """Threads to compute with: the number asked for, or, for 0, as many as this process may run on."""
    if threads > 0:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch compute with so many threads inside the block, and as before after it; 0 changes nothing."""
    import torch

    before = torch.get_num_threads()
    if threads > 0:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cards() -> tuple[str, ...]:
    """Names of the CUDA cards that torch can compute on; none where torch is not installed."""
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
