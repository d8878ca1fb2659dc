"""Load of other processes: from the kernel's counters, without this process and its children."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.evaluation.efficiency import load
from bench.evaluation.efficiency.load import OtherLoad

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


def counters(path: Path, busy_s: float) -> None:
    """Counters in the order of the kernel: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice."""
    tick = os.sysconf("SC_CLK_TCK")
    fields = [busy_s * tick * share for share in (0.5, 0.1, 0.2)] + [7e5, 9e5]
    fields += [busy_s * tick * share for share in (0.05, 0.05, 0.1)] + [8e5, 6e5]
    path.write_text("cpu  " + " ".join(str(round(f)) for f in fields) + "\ncpu0 1 2 3\n")


def test_the_load_excludes_this_process_and_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat, clock, spent = tmp_path / "stat", [50.0], [1.0, 0.5, 2.0, 0.5]
    monkeypatch.setattr(load, "_STAT", stat)
    monkeypatch.setattr(load, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    names = ("user", "system", "children_user", "children_system")
    monkeypatch.setattr(os, "times", lambda: SimpleNamespace(**dict(zip(names, spent, strict=True))))
    counters(stat, 1000)
    with OtherLoad() as other_load:
        counters(stat, 1020)
        clock[0] += 10
        spent[:] = [2.0, 1.0, 6.0, 1.0]  # 6 s of the 20 s
    assert other_load.cores == pytest.approx(1.4)


def test_without_counters_it_is_the_load_average_at_the_start_or_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_STAT", tmp_path / "none")
    monkeypatch.setattr(os, "getloadavg", lambda: (1.25, 0.0, 0.0))
    with OtherLoad() as other_load:
        monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 0.0, 0.0))
    assert other_load.cores == 1.25
    monkeypatch.delattr(os, "getloadavg")
    with OtherLoad() as other_load:
        pass
    assert other_load.cores is None


@pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="this system has no /proc/stat")
def test_the_counters_of_the_kernel_are_read_in_seconds_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_process_s", lambda: 0.0)  # nothing is taken off
    began = time.perf_counter()
    with OtherLoad() as other_load:
        subprocess.run([sys.executable, "-c", BURN], check=True)
        exec(BURN)
    assert other_load.cores is not None and other_load.cores >= 0.8 * 0.6 / (time.perf_counter() - began)
