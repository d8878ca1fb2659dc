"""Memory that a process holds, and the most it held meanwhile."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from bench.errors import MissingError

_STATM, _STATUS, _RESET = Path("/proc/self/statm"), Path("/proc/self/status"), Path("/proc/self/clear_refs")
_EVERY_S = 0.005


def resident_mib() -> float:
    """Resident memory of this process, MiB; where the system reports only the peak, that.

    Raises:
        MissingError: the system reports neither.
    """
    if _STATM.is_file():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    try:
        import resource
    except ImportError:
        raise MissingError("The memory of a process cannot be read on this system.") from None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


class Watch:
    """The highest resident memory inside the block: the kernel's own mark where it keeps one, else sampled each 5 ms.

    Attributes:
        start: when the block began, MiB.
        peak: the highest meanwhile, MiB; valid after the block.
    """

    def __enter__(self) -> Watch:
        self.start = self.peak = resident_mib()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        if not _mark_reset():
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            self.peak = max(self.peak, _mark_mib())
        else:
            self._done.set()
            self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(_EVERY_S):
            self.peak = max(self.peak, resident_mib())


def _mark_reset() -> bool:
    """Whether the kernel's mark of the most resident memory could be set back to now."""
    try:
        _RESET.write_text("5")
        return _mark_mib() > 0
    except (OSError, ValueError):
        return False


def _mark_mib() -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**10
    raise ValueError("no VmHWM")
