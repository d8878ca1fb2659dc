"""The machine: operating system, processor, memory, and the devices that networks can run on."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from bench.errors import one_line
from bench.installation.facts import Fact, examined, format_size

_MEMINFO, _CPUINFO = Path("/proc/meminfo"), Path("/proc/cpuinfo")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_UNLIMITED = 1 << 60  # control groups without a limit report a number near 2**63
_LITTLE = 2 * 2**30  # bytes free; a run of vividgan takes about 1 GiB


def system_facts() -> list[Fact]:
    """Operating system, processor and memory."""
    return [
        *examined("system", "operating system", _operating_system),
        *examined("system", "processor", _processor),
        *examined("system", "memory", _memory),
    ]


def device_facts() -> list[Fact]:
    """PyTorch, its build and its devices."""
    try:
        import torch
    except Exception as error:  # noqa: BLE001  # a broken library raises OSError, a wrong numpy ImportError...
        return [
            Fact(
                "devices",
                "torch",
                f"cannot be imported ({one_line(error, named=True)})",
                "problem",
                "Install torch again.",
            )
        ]
    hip = getattr(torch.version, "hip", None)
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else f"ROCm {hip}" if hip else "CPU only"
    facts = [Fact("devices", "torch", f"{torch.__version__}, built for: {build}")]

    def cuda() -> list[Fact]:
        if not torch.cuda.is_available():
            reason = "no device is seen" if torch.version.cuda or hip else "this build of torch has no CUDA"
            return [Fact("devices", "cuda", f"not available: {reason}")]
        return [
            Fact(
                "devices",
                f"cuda:{index}",
                f"{properties.name}, {format_size(properties.total_memory)}",
            )
            for index in range(torch.cuda.device_count())
            for properties in [torch.cuda.get_device_properties(index)]
        ]

    def mps() -> list[Fact]:
        is_available = torch.backends.mps.is_available()
        return [Fact("devices", "mps", "available" if is_available else "not available")]

    facts += examined("devices", "cuda", cuda)
    if sys.platform == "darwin":
        facts += examined("devices", "mps", mps)
    cores, usable = os.cpu_count(), usable_cores()
    threads = f"torch uses {torch.get_num_threads()} threads"
    core_counts = f"{cores or 'an unknown number of'} cores" + (f", {usable} usable here" if usable != cores else "")
    return [*facts, Fact("devices", "cpu", f"{core_counts}; {threads}")]


def usable_cores() -> int | None:
    """Cores that this process may use; None where the system does not report it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def memory_bytes() -> tuple[int | None, int | None]:
    """Total and free memory of the machine, bytes; None where the system does not report it.

    A limit of a container (control groups) lowers both if it is smaller.
    """
    total, free = _whole_memory()
    limit = _limit()
    if limit is not None and (total is None or limit < total):
        total = limit
        free = limit if free is None else min(free, limit)
    return total, free


def _operating_system() -> list[Fact]:
    name = platform.platform(aliased=True, terse=True) or sys.platform
    pretty = ""
    with suppress(OSError):  # some systems lack the file
        pretty = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return [Fact("system", "operating system", ", ".join(filter(None, (pretty, name, platform.machine()))))]


def _processor() -> list[Fact]:
    return [Fact("system", "processor", f"{_processor_name()}, {os.cpu_count() or 'unknown'} cores")]


def _processor_name() -> str:
    if _CPUINFO.is_file():
        match = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.+)$", _CPUINFO.read_text(errors="replace"), re.M)
        if match:
            return match[1].strip()
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    return platform.processor() or platform.machine() or "unknown"


def _memory() -> list[Fact]:
    total, free = memory_bytes()
    if total is None and free is None:
        return [Fact("system", "memory", "unknown on this system")]
    sizes = ", ".join(f"{format_size(size)} {kind}" for size, kind in ((total, "in all"), (free, "free")) if size)
    if free is not None and free < _LITTLE:
        return [Fact("system", "memory", sizes, "note", "A run of vividgan takes about 1 GiB: lower --batch-size.")]
    return [Fact("system", "memory", sizes)]


def _whole_memory() -> tuple[int | None, int | None]:
    if _MEMINFO.is_file():
        lines = dict(re.findall(r"^(\w+):\s+(\d+) kB", _MEMINFO.read_text(errors="replace"), re.M))
        total, free = lines.get("MemTotal"), lines.get("MemAvailable", lines.get("MemFree"))
        return (int(total) * 1024 if total else None), (int(free) * 1024 if free else None)
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), None
    except (AttributeError, ValueError, OSError):
        return None, None


def _windows_memory() -> tuple[int | None, int | None]:
    class Status(ctypes.Structure):
        _fields_ = [
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", "free", "page", "page_free", "virtual", "left", "more")),
        ]

    status = Status(length=ctypes.sizeof(Status))
    library = getattr(ctypes, "windll", None)
    if library is None or not library.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None, None
    return int(status.total), int(status.free)


def _limit() -> int | None:
    for path in _LIMITS:
        with suppress(OSError, ValueError):
            limit = int(path.read_text())
            return limit if limit < _UNLIMITED else None
    return None
