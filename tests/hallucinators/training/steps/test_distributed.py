from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest
import torch

from bench.errors import UsageError
from hallucinators.training.loop import checkpoint
from hallucinators.training.loop.run import train
from hallucinators.training.steps import distributed


def free_port() -> str:
    with socket.socket() as result:
        result.bind(("127.0.0.1", 0))
        return str(result.getsockname()[1])


def two_processes(program: str, out: Path, bad_step: int) -> dict[str, object]:
    """Start the toy as torchrun does, by its environment alone; the result that rank 0 gives."""
    shared = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2"}
    running = [
        subprocess.Popen(
            [sys.executable, program, str(out), "share", str(bad_step)],
            env=shared | {"RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    try:
        message = [process.communicate(timeout=60) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], message
    assert message[1][0] == "" and "toy:" not in message[1][1], "only rank 0 prints"
    return json.loads(message[0][0])  # type: ignore[no-any-return]


def test_two_processes_learn_what_one_does_and_agree_on_a_bad_step(toy: ModuleType, tmp_path: Path) -> None:
    one = asdict(train(toy.plain_task(2), toy.ToySource(), toy.settings(), tmp_path / "one", lambda line: None))
    two = two_processes(toy.__file__, tmp_path / "two", 2)
    for name in ("steps", "stopped", "samples_seen", "skipped"):
        assert one[name] == two[name]
    assert (one["samples_seen"], one["skipped"]) == (48, 2)
    assert two["best"] == pytest.approx(one["best"], rel=1e-4)
    states = [checkpoint.load(checkpoint.path_of(tmp_path / name, 12)) for name in ("one", "two")]
    for part in ("modules", "averages"):
        for name, tensors in states[0][part].items():
            for key, value in tensors.items():
                torch.testing.assert_close(states[1][part][name][key], value, rtol=1e-3, atol=1e-5)
    rows = [(tmp_path / name / "curve.csv").read_text().splitlines() for name in ("one", "two")]
    assert rows[0][0] == rows[1][0] and len(rows[0]) == len(rows[1])
    for a, b in zip(rows[0][1:], rows[1][1:], strict=True):
        numbers = [[float(cell) for cell in row.split(",") if cell] for row in (a, b)]
        assert numbers[1] == pytest.approx(numbers[0], rel=1e-4)
    assert [state["processes"] for state in states] == [1, 2]
    assert len(states[1]["random"]) == 2


def test_one_process_exchanges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 3.0])
    distributed.average_gradients([parameter])
    assert parameter.grad.tolist() == [1.0, 3.0]
    assert distributed.means([1.5]) == [1.5] and distributed.anywhere([True, False]) == [True, False]


def test_an_environment_that_is_not_torchruns_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "two")
    with pytest.raises(UsageError, match="WORLD_SIZE is 'two'"):
        distributed.world_size()


def test_a_card_that_is_not_here_is_named() -> None:
    with pytest.raises(UsageError, match="no device 'cuda:97' here"):
        distributed.device_of("cuda:97")
