"""The description of the machine, also where the system gives little information."""

from __future__ import annotations

import builtins
import os
from pathlib import Path

import pytest

from bench.installation import machine


def test_memory_is_read_from_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  4096 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\n")
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_LIMITS", ())
    assert machine.memory_bytes() == (4096 * 1024, 1024 * 1024)


def test_the_limit_of_a_container_lowers_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  4096 kB\nMemAvailable:  3072 kB\n")
    (tmp_path / "limit").write_text(f"{2048 * 1024}\n")
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_LIMITS", (tmp_path / "absent", tmp_path / "limit"))
    assert machine.memory_bytes() == (2048 * 1024, 2048 * 1024)


@pytest.mark.parametrize("text", ["max\n", f"{2**63 - 4096}\n"])
def test_a_container_without_a_limit_changes_nothing(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  4096 kB\nMemAvailable:  1024 kB\n")
    (tmp_path / "limit").write_text(text)
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_LIMITS", (tmp_path / "limit",))
    assert machine.memory_bytes() == (4096 * 1024, 1024 * 1024)


def test_a_machine_without_proc_and_sysconf_has_unknown_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MEMINFO", "_CPUINFO"):
        monkeypatch.setattr(machine, name, tmp_path / "absent")
    monkeypatch.setattr(machine, "_LIMITS", ())
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    facts = {fact.name: fact for fact in machine.system_facts()}
    assert facts["memory"].value == "unknown on this system"
    assert facts["processor"].value.endswith("unknown cores")
    assert all(fact.level == "fact" for fact in facts.values())


def test_little_free_memory_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  8388608 kB\nMemAvailable:  1048576 kB\n")
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_LIMITS", ())
    memory = next(fact for fact in machine.system_facts() if fact.name == "memory")
    assert memory.level == "note"
    assert memory.value == "8.0 GiB in all, 1.0 GiB free"


def test_a_torch_that_cannot_be_imported_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def broken(name: str, *rest: object, **named: object) -> object:
        if name == "torch":
            raise OSError("libcudart.so.13: cannot open shared object file")
        return real(name, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", broken)
    (fact,) = machine.device_facts()
    assert fact.level == "problem"
    assert "libcudart.so.13" in fact.value


def test_cuda_devices_are_listed_with_their_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    class Properties:
        name, total_memory = "Some GPU", 8 * 2**30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: Properties)
    result = {fact.name: fact.value for fact in machine.device_facts()}
    assert result["cuda:0"] == result["cuda:1"] == "Some GPU, 8.0 GiB"
