"""``bench config``: settings that are stored, printed and removed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

Bench = Callable[..., tuple[int, str, str]]


def test_settings_are_listed_and_removed_one_by_one(bench: Bench, tmp_path: Path) -> None:
    assert bench("config", "list") == (0, "", "")
    for name in ("tinyface", "ijbc"):
        bench("config", "set", f"data.{name}", tmp_path)
    assert bench("config", "list")[1] == f"data.ijbc = {str(tmp_path)!r}\ndata.tinyface = {str(tmp_path)!r}\n"
    assert json.loads(bench("config", "list", "--json")[1]) == dict.fromkeys(
        ("data.ijbc", "data.tinyface"), str(tmp_path)
    )
    assert bench("config", "unset", "data.ijbc")[0] == 0
    assert json.loads(bench("config", "list", "--json")[1]) == {"data.tinyface": str(tmp_path)}
    assert bench("config", "get", "data.ijbc")[0] == 3
    assert bench("config", "unset", "data.tinyface")[0] == 0
    assert Path(os.environ["BENCH_CONFIG"]).read_text(encoding="utf-8") == "", "an empty table goes with its last entry"


def test_a_setting_that_is_not_there_cannot_be_removed(bench: Bench, tmp_path: Path) -> None:
    bench("config", "set", "data.tinyface", tmp_path)
    for key in ("data.ijbc", "other.key", "data.tinyface.more", "x"):
        code, _, err = bench("config", "unset", key)
        assert code == 3 and f"{key!r} is not set" in err
    assert bench("config", "get", "data.tinyface")[1].strip() == str(tmp_path)


def test_the_path_of_the_settings_is_printed_even_before_there_are_any(bench: Bench) -> None:
    assert bench("config", "path") == (0, os.environ["BENCH_CONFIG"] + "\n", "")
