from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench import devices
from bench.__main__ import main
from bench.config import RunConfig, make_config
from bench.devices import available_devices, cpu_threads, describe_device, resolve_device, torch_threads
from bench.errors import UsageError
from bench.execution.execute import prepare
from bench.execution.record import processor_note
from bench.interfaces import HALLUCINATORS, RECOGNISERS
from bench.pipeline.build import build
from bench.registry import Spec, load_plugins


def has(monkeypatch: pytest.MonkeyPatch, *, cards: tuple[str, ...] = (), mps: bool = False) -> None:
    monkeypatch.setattr(devices, "_cards", lambda: cards)
    monkeypatch.setattr(devices, "_has_mps", lambda: mps)


@pytest.mark.parametrize(
    "name", ["banana", "", "CPU", "cpu:0", "meta", "cuda", "cuda:0", "cuda:x", "cuda:-1", "mps", "xpu"]
)
def test_an_unavailable_device_is_a_usage_error_that_lists_the_available_ones(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    has(monkeypatch)
    with pytest.raises(UsageError, match=f"no device {name!r} here. Devices: cpu; or give auto"):
        resolve_device(name)


def test_cards_are_numbered_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, cards=("Card A", "Card B"), mps=True)
    assert available_devices() == ("cpu", "cuda:0 (Card A)", "cuda:1 (Card B)", "mps")
    assert [resolve_device(name) for name in ("cuda", "cuda:1", "mps", "cpu")] == ["cuda", "cuda:1", "mps", "cpu"]
    assert describe_device("cuda") == "cuda (Card A)"
    assert describe_device("cuda:1") == "cuda:1 (Card B)"
    for name in ("cuda:2", "cuda:01"):
        with pytest.raises(UsageError, match="Card B"):
            resolve_device(name)


@pytest.mark.parametrize(("cards", "mps", "picked"), [((), False, "cpu"), ((), True, "mps"), (("A",), True, "cuda")])
def test_auto_picks_cuda_then_mps_then_the_processor(
    monkeypatch: pytest.MonkeyPatch, cards: tuple[str, ...], mps: bool, picked: str
) -> None:
    has(monkeypatch, cards=cards, mps=mps)
    assert resolve_device("auto") == picked
    assert make_config(None, {"protocol": "tinyface", "device": "auto"}).device == picked


@pytest.mark.parametrize(
    "line",
    [
        ["run", "--protocol", "tinyface", "--device", "banana"],
        ["run", "--protocol", "tinyface,efficiency", "--hallucinator", "none,bicubic", "--device", "banana"],
        ["run", "--protocol", "tinyface", "--hallucinator", "vividgan:device=banana"],
        ["run", "--protocol", "tinyface", "--recogniser", "dlib:device=banana"],
        ["check", "bicubic", "--device", "banana"],
        ["check", "vividgan:device=banana"],
        ["doctor", "--device", "banana"],
        ["hallucinate", "{folder}/a.png", "--out", "{folder}/out", "--hallucinator", "bicubic", "--device", "banana"],
        ["train", "vividgan", "--data", "{folder}/a.npz", "--out", "{folder}/out", "--device", "banana"],
        ["ablate", "--data", "{folder}/a.npz", "--out", "{folder}/out", "--device", "banana"],
    ],
)
def test_an_unavailable_device_ends_every_command_with_code_2_and_one_line(
    line: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "a.npz").write_bytes(b"")
    assert main([word.format(folder=tmp_path) for word in line]) == 2
    message = capsys.readouterr().err
    assert "no device 'banana' here" in message
    assert len(message.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_device_of_a_configuration_file_is_checked_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "run.toml").write_text('protocol = "tinyface"\ndevice = "banana"\n')
    assert main(["run", "--config", str(tmp_path / "run.toml")]) == 2
    assert "no device 'banana' here" in capsys.readouterr().err


def test_a_configuration_built_in_python_is_checked_too() -> None:
    with pytest.raises(UsageError, match="no device 'banana' here"):
        prepare(RunConfig(protocol="tinyface", device="banana"))


def test_a_component_receives_the_device_that_auto_selects(monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    load_plugins()
    built = build(HALLUCINATORS, Spec.parse("vividgan:device=auto"))
    assert built.arguments["device"] == "cpu"
    assert built.execution()["device"] == "cpu"


def test_a_network_that_computes_on_the_processor_in_spite_of_the_device_option_is_named() -> None:
    from bench.pipeline.plan import EmbedPlan

    load_plugins()
    plan = EmbedPlan(None, Spec("none"), Spec("sface"))
    note = processor_note("cuda", [plan, plan], embeds=True)
    assert note == "Device cuda: sface cannot use it and computes on the processor."
    assert processor_note("cpu", [plan], embeds=True) == ""
    assert processor_note("cuda", [plan], embeds=False) == ""
    assert build(RECOGNISERS, Spec.parse("sface")).execution()["device"] == "cpu"


def test_a_number_of_threads_is_used_and_zero_means_all_cores_of_the_process() -> None:
    assert cpu_threads(3) == 3
    assert 1 <= cpu_threads(0) <= (os.cpu_count() or 1)


def test_torchs_thread_count_is_put_back_even_after_an_error() -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with pytest.raises(KeyError), torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before
    with torch_threads(0):
        assert torch.get_num_threads() == before
