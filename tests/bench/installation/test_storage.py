"""Weights, data sets, cache and disks, as far as they are there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.config import set_setting
from bench.installation import storage
from bench.installation.facts import Fact
from bench.registry import load_plugins


@pytest.fixture(autouse=True)
def _settings_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_plugins()
    monkeypatch.setenv("BENCH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def _named(facts: list[Fact], name: str) -> Fact:
    return next(fact for fact in facts if fact.name == name)


def test_the_cache_is_described_with_its_size_and_not_created(tmp_path: Path) -> None:
    assert "0 B used" in _named(storage.storage_facts(), "cache").value
    assert not (tmp_path / "cache").exists()
    (tmp_path / "cache" / "samples").mkdir(parents=True)
    (tmp_path / "cache" / "samples" / "one").write_bytes(bytes(2048))
    cache = _named(storage.storage_facts(), "cache")
    assert cache.level == "fact"
    assert "2.0 KiB used" in cache.value
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["samples"]


def test_a_cache_that_cannot_be_written_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "file" / "cache"))
    cache = _named(storage.storage_facts(), "cache")
    assert cache.level == "problem"
    assert f"{tmp_path / 'file'} is not a folder" in cache.value
    assert "BENCH_CACHE" in cache.hint


def test_a_disk_of_unknown_size_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: Path) -> None:
        raise OSError("no such device")

    monkeypatch.setattr(shutil, "disk_usage", absent)
    assert "free" not in _named(storage.storage_facts(), "cache").value


def test_weights_are_described_by_name_size_and_folder() -> None:
    fact = _named(storage.weight_facts(), "hallucinator vividgan-flow")
    assert fact.level == "fact"
    assert "vividgan-flow.safetensors 11.8 MiB in " in fact.value


def test_missing_weights_are_described_with_how_to_get_them() -> None:
    fact = _named(storage.weight_facts(), "recogniser sphereface")
    assert fact.level == "note"
    assert "pass weights=PATH" in fact.value


def test_a_data_set_is_found_by_its_setting_and_by_the_environment(
    small_tinyface: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _named(storage.data_facts(), "tinyface").value == "not configured: runs use its drawn sample"
    set_setting("data.tinyface", str(small_tinyface))
    result = _named(storage.data_facts(), "tinyface")
    assert "from data.tinyface): not the published set" in result.value
    set_setting("data.tinyface", str(small_tinyface / "absent"))
    missing = _named(storage.data_facts(), "tinyface")
    assert missing.level == "note"
    assert "bench config set data.tinyface" in missing.hint
    monkeypatch.setenv("BENCH_DATA", str(small_tinyface.parent / "nowhere"))
    assert _named(storage.data_facts(), "BENCH_DATA").level == "note"


def test_damaged_settings_are_not_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("data = [")
    facts = storage.data_facts()
    assert _named(facts, "tinyface").level == "note"
    assert "UsageError" in _named(facts, "tinyface").value
