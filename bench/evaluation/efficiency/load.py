"""What other processes did on the processors meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, stolen by other machines; guests are within user


class Others:
    """Cores that processes other than this one and its children kept busy inside the block.

    Children count as own once they are waited for. Where the system has no ``/proc/stat`` it is the load when the block
    began, which still holds what this process did in the minute before.

    Attributes:
        cores: mean number of cores over the block; valid after it; None where the system does not report it.
    """

    cores: float | None = None

    def __enter__(self) -> Others:
        self._load = None if _STAT.is_file() else _load()
        self._begun, self._busy, self._own = time.perf_counter(), _busy_s(), _own_s()
        return self

    def __exit__(self, *_: object) -> None:
        busy, own, wall = _busy_s(), _own_s(), time.perf_counter() - self._begun
        if self._busy is None or busy is None:
            self.cores = self._load
        else:
            self.cores = max(0.0, (busy - self._busy) - (own - self._own)) / wall


def _busy_s() -> float | None:
    """Seconds that all cores together were busy since the machine started."""
    try:
        fields = _STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        return sum(int(fields[k]) for k in _BUSY) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _own_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):
        return None
