"""Fixtures that several tests share: nothing of the user's settings, caches or data is read or written."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from bench.__main__ import main
from bench.registry import load_plugins


@pytest.fixture(autouse=True)
def apart_from_the_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("BENCH_CONFIG", str(home / "config.toml"))
    monkeypatch.setenv("BENCH_CACHE", str(home / "cache"))
    monkeypatch.delenv("BENCH_DATA", raising=False)


@pytest.fixture(scope="session", autouse=True)
def components() -> None:
    """Register all components first: a test that registers one for itself then takes no other away with it."""
    load_plugins()


@pytest.fixture(scope="session")
def tinyface_fixture() -> ModuleType:
    """The script that draws a small TinyFace, as a module."""
    path = Path(__file__).parent / "tinyface_fixture.py"
    spec = importlib.util.spec_from_file_location("tinyface_fixture", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def small_tinyface(tinyface_fixture: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn TinyFace in the official layout: 8 people, two gallery and two probe images each; not to be changed."""
    root: Path = tinyface_fixture.write_tinyface(tmp_path_factory.mktemp("tinyface") / "tinyface", identities=8)
    return root


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line: exit code, standard output, standard error."""

    def call(*args: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return code, out, err

    return call
