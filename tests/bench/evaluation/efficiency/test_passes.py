"""Passes in a separate process: times, memory and reported failures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from bench.evaluation.efficiency import passes
from bench.evaluation.efficiency.memory import PeakMemory, resident_mib
from bench.images import encode_png
from bench.interfaces import HALLUCINATORS
from bench.registry import load_plugins

PLUGIN = """
import os, time
import numpy as np
from bench.interfaces import HALLUCINATORS, Hallucinator
from bench.types import ImageSpec

@HALLUCINATORS.register("slow-and-large", summary="Waits 20 ms and holds 64 MiB.")
class Slow(Hallucinator):
    def __init__(self, *, dies: bool = False, breaks: bool = False, threads: int = 0):
        self.dies, self.breaks, self.threads = dies, breaks, threads
    def hallucinate(self, lr):
        if self.dies:
            print("out of luck", flush=True)
            os._exit(7)
        if self.breaks and len(lr) > 0 and lr.mean() > 0.5:
            raise ValueError("too bright")
        held = np.ones(64 << 17)
        time.sleep(0.02)
        assert os.environ["OMP_NUM_THREADS"] == str(self.threads) == "2"
        print("chatter on standard output")
        return lr * held[0].astype(np.float32)
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A hallucinator in a package of its own, as a user would install it."""
    load_plugins()
    site = tmp_path_factory.mktemp("site")
    (site / "slow_and_large.py").write_text(PLUGIN)
    info = site / "slow_and_large-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-and-large\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bench.plugins]\nslow = slow_and_large\n")
    sys.path.append(str(site))
    yield
    sys.path.remove(str(site))
    assert "slow-and-large" not in HALLUCINATORS, "it was loaded in this process"


def timing_request(folder: Path, chain: str, *, faces: int = 2, grey: int = 90) -> passes.TimingRequest:
    paths = []
    for k in range(faces):
        path = folder / f"{k}.png"
        path.write_bytes(encode_png(np.full((16, 16, 3), grey + k, np.uint8)))
        paths.append(str(path))
    return passes.TimingRequest(chain, "cpu", 2, tuple(paths), repeats=4, warmup=1, seconds=10.0)


def test_time_and_memory_are_those_of_the_hallucinator(plugin: None, tmp_path: Path) -> None:
    answer = passes.measure(timing_request(tmp_path, "slow-and-large"))
    assert answer.failure == ""
    assert len(answer.pass_ms) == 4 and all(20 <= spent < 2000 for spent in answer.pass_ms)
    assert answer.peak_mib is not None and 60 < answer.peak_mib < 200
    assert answer.outcomes == (("ok", "", ""),) * 2
    assert answer.parameters[0] is None and "no reachable torch module" in answer.parameters[2]


def test_a_process_that_ends_early_is_reported_with_its_last_line(plugin: None, tmp_path: Path) -> None:
    answer = passes.measure(timing_request(tmp_path, "slow-and-large:dies=true"))
    assert answer.pass_ms == () and "exit code 7" in answer.failure and "out of luck" in answer.failure


def test_failed_faces_give_no_times(plugin: None, tmp_path: Path) -> None:
    answer = passes.measure(timing_request(tmp_path, "slow-and-large:breaks=true", grey=200))
    assert answer.pass_ms == ()
    assert answer.failure == "2 of 2 faces failed (hallucinate: raised ValueError)"
    assert answer.outcomes[0] == ("failed", "hallucinate", "raised ValueError")


def test_a_chain_that_cannot_be_built_is_reported(tmp_path: Path) -> None:
    requested = tmp_path / "ask.json"
    out = tmp_path / "answer.json"
    requested.write_text(json.dumps({"ask": asdict(timing_request(tmp_path, "bicubik")), "answer": str(out)}))
    assert passes.main(["", str(requested)]) == 0
    assert "Did you mean 'bicubic'" in json.loads(out.read_text())["failure"]


def test_passes_stop_after_their_time_but_not_before_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    requested = replace(timing_request(tmp_path, "bicubic"), repeats=50, seconds=1e-9)
    assert len(passes._time_chain(requested).pass_ms) == passes.LEAST
    assert len(passes._time_chain(replace(requested, seconds=30.0)).pass_ms) == 50


@pytest.mark.parametrize("kernel", [True, False])
def test_the_peak_includes_memory_that_is_released(kernel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    if not kernel:
        monkeypatch.setattr("bench.evaluation.efficiency.memory._reset_peak", lambda: False)
    before = resident_mib()
    with PeakMemory() as peak_memory:
        held = np.ones(100 << 17)
        time.sleep(0.05)
        del held
    assert 95 < peak_memory.peak - peak_memory.start < 150
    assert resident_mib() - before < 50
