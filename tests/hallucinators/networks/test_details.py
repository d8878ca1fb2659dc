"""What ``bench list`` tells of trained networks: every one says its paper, sizes, parameters, alignment, departures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hallucinators.networks import details as module
from hallucinators.networks.details import count_parameters

TRAINED = ("stn", "srgan", "cbn", "waveletsrnet", "tdae", "tann", "drgan", "cyclegan", "vividgan")


def test_parameters_are_counted_from_the_header(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(5), "c": torch.zeros(())}, tmp_path / "x.safetensors")
    assert count_parameters(tmp_path / "x.safetensors") == 18


def test_every_trained_network_tells_all_that_a_reader_wants_to_know(
    bench: Callable[..., tuple[int, str, str]],
) -> None:
    found = {entry["name"]: entry for entry in json.loads(bench("list", "--json")[1])["components"]}
    for name in (*TRAINED, "vividgan-flow"):
        told = found[name]["details"]
        assert set(told) == {"sizes", "aligned", "parameters", "departures"}, name
        assert told["departures"] and found[name]["licence"] and found[name]["source"]
        assert told["parameters"].startswith("paper ")


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
