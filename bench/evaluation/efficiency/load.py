"""Load of the processors by other processes during a measurement."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, stolen by other machines; guests are within user


class OtherLoad:
    """Number of cores that other processes than this one and its children kept busy inside the block.

    A child is excluded once it was waited for. Where the system has no ``/proc/stat``, the value is the load average at
    the start of the block, which includes this process in the minute before.

    Attributes:
        cores: mean number of cores over the block; valid after it; None where the system does not report it.
    """

    cores: float | None = None

    def __enter__(self) -> OtherLoad:
        self._load = None if _STAT.is_file() else _load()
        self._start, self._busy, self._process = time.perf_counter(), _busy_s(), _process_s()
        return self

    def __exit__(self, *_: object) -> None:
        busy, process, wall = _busy_s(), _process_s(), time.perf_counter() - self._start
        if self._busy is None or busy is None:
            self.cores = self._load
        else:
            self.cores = max(0.0, (busy - self._busy) - (process - self._process)) / wall


def _busy_s() -> float | None:
    """Seconds that all cores together were busy since the machine started."""
    try:
        fields = _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        return sum(int(fields[k]) for k in _BUSY) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _process_s() -> float:
    """Seconds of processor time of this process and its children."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):
        return None
