"""Configuration: precedence, errors, settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.config import get_setting, make_config, set_setting
from bench.errors import UsageError


@pytest.fixture(autouse=True)
def temporary_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CONFIG", str(tmp_path / "settings" / "config.toml"))


def test_a_flag_beats_the_file_and_the_file_beats_the_default(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('protocol = "tinyface"\nbatch-size = 8\nrecogniser = "dlib"\n')
    config = make_config(file, {"recogniser": "sface"})
    assert (config.protocol, config.batch_size, config.recogniser, config.hallucinator) == (
        "tinyface", 8, "sface", "none",
    )  # fmt: skip


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('protocl = "tinyface"\nlimit = 0\nimages = "some"\n')
    with pytest.raises(UsageError) as caught:
        make_config(file, {})
    for part in ("unknown key 'protocl'", "limit is 0", "'some' is none of all, none", "protocol is missing"):
        assert part in str(caught.value)


@pytest.mark.parametrize("content", ["protocol = ", "\xff\xfe"])
def test_a_file_that_is_not_toml_is_named_in_the_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "run.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError, match="Cannot read .*run.toml"):
        make_config(file, {})


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent.toml"):
        make_config(tmp_path / "absent.toml", {})


def test_a_setting_is_remembered_beside_the_others() -> None:
    assert get_setting("data.tinyface") is None
    set_setting("data.tinyface", 'a "quoted" path')
    set_setting("data.ijbc", "b")
    assert get_setting("data.tinyface") == 'a "quoted" path'
    assert get_setting("data.ijbc") == "b"


@pytest.mark.parametrize("key", ["tinyface", "data.", "data.a b", ".x"])
def test_an_invalid_settings_key_is_refused(key: str) -> None:
    with pytest.raises(UsageError):
        set_setting(key, "x")


def test_a_folder_whose_name_is_not_utf8_cannot_be_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CONFIG", str(tmp_path / "config.toml"))
    with pytest.raises(UsageError, match="not UTF-8 text"):
        set_setting("data.tinyface", "/data/d\udcff")
    assert not (tmp_path / "config.toml").exists()
