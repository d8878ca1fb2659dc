from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError, DataError
from bench.interfaces import RECOGNISERS
from bench.recognisers.networks import tflite_check, tflite_trial
from tests.bench.recognisers.tflite_graphs import save


def refusal(path: Path) -> str:
    """The error of a file that is refused; it is one line."""
    with pytest.raises(DataError) as caught:
        RECOGNISERS["tflite"].create({"weights": path, "threads": 1})
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


@pytest.mark.parametrize(
    "content",
    [b"", b"TFL3", b"\x1c\0\0\0TFL3", b"\xff\xff\xff\xffTFL3" + bytes(64), b"\x08\x00\x00\x00ONNX" + bytes(99)],
)
def test_a_foreign_file_is_refused_without_being_run(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    monkeypatch.setattr(tflite_check, "_try", lambda *_: pytest.fail("it was run"))
    assert "no TensorFlow Lite file" in refusal(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "net.tflite")
    path.write_bytes(path.read_bytes()[:-400])
    assert "damaged, or hold what LiteRT cannot run" in refusal(path)


def test_an_operator_that_litert_does_not_have_is_refused(tmp_path: Path) -> None:
    assert "LiteRT cannot run" in refusal(save(tmp_path / "net.tflite", operator=32))  # 32: a custom operator


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    assert "LiteRT cannot run" in refusal(save(tmp_path / "net.tflite", dtype="int8"))  # no such product of int8


def test_damaged_bytes_end_neither_this_process_nor_with_another_exception(tmp_path: Path) -> None:
    sound = save(tmp_path / "net.tflite").read_bytes()
    generator = random.Random(0)
    for number in range(6):
        damaged = bytearray(sound)
        for _ in range(generator.choice([1, 4, 16])):
            damaged[generator.randrange(8, len(damaged))] = generator.randrange(256)
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(bytes(damaged))
        try:
            RECOGNISERS["tflite"].create({"weights": path, "threads": 1})
        except BenchError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_file_that_crashes_litert_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    crashing = tmp_path / "crashing.py"
    crashing.write_text(f"import os\nos.kill(os.getpid(), {int(number)})\n")
    monkeypatch.setattr(tflite_trial, "__file__", str(crashing))
    monkeypatch.setattr(tflite_check, "_runs_here", set())
    assert signal.strsignal(number) in refusal(save(tmp_path / "net.tflite"))


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(tflite_trial, "__file__", str(slow))
    monkeypatch.setattr(tflite_check, "_TRIAL_S", 1)
    monkeypatch.setattr(tflite_check, "_runs_here", set())
    assert "more than 1 seconds" in refusal(save(tmp_path / "net.tflite"))


def test_a_file_is_run_in_a_process_of_its_own_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Any] = []
    run = subprocess.run
    monkeypatch.setattr(tflite_check, "_runs_here", set())
    monkeypatch.setattr(subprocess, "run", lambda *words, **more: runs.append(words) or run(*words, **more))
    model = save(tmp_path / "net.tflite").read_bytes()
    for _ in range(3):
        tflite_check.check_runs(model, tmp_path / "net.tflite")
    assert [words[0][0] for words in runs] == [sys.executable]
