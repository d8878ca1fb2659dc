"""What others did meanwhile: by the kernel's counters, less what this process and its children did."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.evaluation.efficiency import load
from bench.evaluation.efficiency.load import Others

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


def counters(path: Path, busy_s: float) -> None:
    """As the kernel has them: user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice."""
    tick = os.sysconf("SC_CLK_TCK")
    fields = [busy_s * tick * share for share in (0.5, 0.1, 0.2)] + [7e5, 9e5]
    fields += [busy_s * tick * share for share in (0.05, 0.05, 0.1)] + [8e5, 6e5]
    path.write_text("cpu  " + " ".join(str(round(f)) for f in fields) + "\ncpu0 1 2 3\n")


def test_others_are_all_less_the_own_and_the_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat, clock, spent = tmp_path / "stat", [50.0], [1.0, 0.5, 2.0, 0.5]
    monkeypatch.setattr(load, "_STAT", stat)
    monkeypatch.setattr(load, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    names = ("user", "system", "children_user", "children_system")
    monkeypatch.setattr(os, "times", lambda: SimpleNamespace(**dict(zip(names, spent, strict=True))))
    counters(stat, 1000)
    with Others() as found:
        counters(stat, 1020)
        clock[0] += 10
        spent[:] = [2.0, 1.0, 6.0, 1.0]  # 6 s of the 20 s
    assert found.cores == pytest.approx(1.4)


def test_without_counters_it_is_the_load_before_and_without_that_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "_STAT", tmp_path / "none")
    monkeypatch.setattr(os, "getloadavg", lambda: (1.25, 0.0, 0.0))
    with Others() as found:
        monkeypatch.setattr(os, "getloadavg", lambda: (9.0, 0.0, 0.0))
    assert found.cores == 1.25
    monkeypatch.delattr(os, "getloadavg")
    with Others() as found:
        pass
    assert found.cores is None


@pytest.mark.skipif(not Path("/proc/stat").is_file(), reason="this system has no /proc/stat")
def test_the_kernel_s_counters_are_read_in_seconds_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_own_s", lambda: 0.0)  # nothing is taken off
    began = time.perf_counter()
    with Others() as found:
        subprocess.run([sys.executable, "-c", BURN], check=True)
        exec(BURN)
    assert found.cores is not None and found.cores >= 0.8 * 0.6 / (time.perf_counter() - began)
