"""Registration of trained methods: `bench list` shows their details, and each has a trainer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from bench.interfaces import HALLUCINATORS
from hallucinators.networks import registration as module
from hallucinators.networks.registration import TRAINERS, count_parameters
from hallucinators.networks.shipped import shipped_missing


def test_parameters_are_counted_from_the_header(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(5), "c": torch.zeros(())}, tmp_path / "x.safetensors")
    assert count_parameters(tmp_path / "x.safetensors") == 18


def test_every_trained_method_has_details(bench: Callable[..., tuple[int, str, str]]) -> None:
    entries = {entry["name"]: entry for entry in json.loads(bench("list", "--json")[1])["components"]}
    assert len(TRAINERS) == 10
    for name in TRAINERS:
        details = entries[name]["details"]
        assert set(details) == {"sizes", "aligned", "parameters", "departures"}, name
        assert details["departures"] and entries[name]["licence"] and entries[name]["source"]
        assert details["parameters"].startswith("paper ")


def test_a_method_behind_the_aligner_is_missing_without_either_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hallucinators.networks.shipped.SHIPPED", tmp_path)
    entry = HALLUCINATORS["srgan"]
    for absent, present in (("srgan", "stn"), ("stn", "srgan")):
        (tmp_path / f"{present}-8x.safetensors").touch()
        reason = entry.missing()
        assert reason is not None and f"weights {absent}-8x.safetensors are not here" in reason
        (tmp_path / f"{present}-8x.safetensors").unlink()
    for name in ("srgan", "stn"):
        (tmp_path / f"{name}-8x.safetensors").touch()
    assert entry.missing() is None


def test_one_of_several_files_suffices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hallucinators.networks.shipped.SHIPPED", tmp_path)
    assert "weights a and b are not here" in (shipped_missing("x", "a", "b") or "")
    (tmp_path / "b").touch()
    assert shipped_missing("x", "a", "b") is None


def test_list_of_one_shows_the_departures_and_the_shipped_parameters(
    bench: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file({"a": torch.zeros(30, 40)}, tmp_path / "drgan.safetensors")
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    code, out, _ = bench("list", "drgan")
    assert code == 0 and "paper 10,147,008; shipped 1,200 (drgan.safetensors)" in out
    assert "  departures:\n    - " in out


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 40, b"\x02" + bytes(7) + b"[]", b"\x0b" + bytes(7) + b'{"a": null}']
)
def test_a_damaged_file_does_not_keep_the_list_from_being_shown(
    bench: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "drgan.safetensors").write_bytes(content)
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    code, out, _ = bench("list", "drgan")
    assert code == 0 and "shipped unknown, since its file is damaged (drgan.safetensors)" in out
