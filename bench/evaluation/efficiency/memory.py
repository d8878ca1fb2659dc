"""Resident memory of this process, and its peak inside a block."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from bench.errors import MissingError

_STATM, _STATUS, _RESET = Path("/proc/self/statm"), Path("/proc/self/status"), Path("/proc/self/clear_refs")
_EVERY_S = 0.005


def resident_mib() -> float:
    """Resident memory of this process, MiB; the peak, where the system reports nothing else.

    Raises:
        MissingError: the system reports neither.
    """
    if _STATM.is_file():
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    try:
        import resource
    except ImportError:
        raise MissingError("The memory of a process cannot be read on this system.") from None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


class PeakMemory:
    """The peak resident memory inside the block: the kernel's VmHWM where available, else sampled every 5 ms.

    Attributes:
        start: at the start of the block, MiB.
        peak: highest inside the block, MiB; valid after it.
    """

    def __enter__(self) -> PeakMemory:
        self.start = self.peak = resident_mib()
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        if not _reset_peak():
            self._thread = threading.Thread(target=self._sample, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is None:
            self.peak = max(self.peak, _kernel_peak_mib())
        else:
            self._done.set()
            self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(_EVERY_S):
            self.peak = max(self.peak, resident_mib())


def _reset_peak() -> bool:
    """Reset the kernel's peak of resident memory to the present value; False where that is not possible."""
    try:
        _RESET.write_text("5")
        return _kernel_peak_mib() > 0
    except (OSError, ValueError):
        return False


def _kernel_peak_mib() -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**10
    raise ValueError("no VmHWM")
