"""Packages that are absent, of another version, or do not go together; plugins that failed."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from bench import registry
from bench.installation import packages

_LINES = ["numpy>=2.1", "torch>=2.11", 'spandrel>=0.4; extra == "restorers"', 'lpips>=0.1; extra == "lpips"']
_OTHERS = ("all", "browser", "dev", "test", "types")


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"numpy": "2.2", "torch": "2.10", "lpips": "0.1.4", "face-hallucination-bench": "0.1.0"}

    def version(package: str) -> str:
        if package not in versions:
            raise PackageNotFoundError(package)
        return versions[package]

    monkeypatch.setattr(packages, "requires", lambda _: _LINES)
    monkeypatch.setattr(packages, "version", version)


@pytest.mark.usefixtures("_installed")
def test_a_required_package_of_another_version_is_a_problem_and_names_both() -> None:
    (fault,) = [fact for fact in packages.package_facts() if fact.level == "problem"]
    assert fault.value == "torch 2.10 is installed, torch>=2.11 is needed"


@pytest.mark.usefixtures("_installed")
def test_an_extra_that_is_not_installed_says_what_it_is_for_and_how_to_get_it() -> None:
    facts = {fact.name: fact for fact in packages.package_facts()}
    assert facts["extra lpips"].level == "fact"
    assert facts["extra lpips"].value.startswith("installed")
    absent = facts["extra restorers"]
    assert absent.level == "note"
    assert "spandrel is missing" in absent.value
    assert packages.FOR_USERS["restorers"] in absent.value
    assert "[restorers]" in absent.hint


def test_every_extra_for_users_has_a_purpose() -> None:
    root = Path(packages.__file__).parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(packages.FOR_USERS) == set(extras) - set(_OTHERS)


def test_two_distributions_of_one_module_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"opencv-python": "4.12", "opencv-python-headless": "4.11", "onnxruntime": "1.20"}
    monkeypatch.setattr(packages, "_version", lambda name: versions.get(name, ""))
    (clash,) = packages._conflicts()
    assert "opencv-python 4.12, opencv-python-headless 4.11" in clash.value
    assert clash.hint.endswith("pip install opencv-python")


def test_a_checkout_that_is_not_installed_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> list[str]:
        raise PackageNotFoundError

    monkeypatch.setattr(packages, "requires", absent)
    monkeypatch.setattr(packages, "version", absent)
    suite = next(fact for fact in packages.package_facts() if fact.name == "bench")
    assert suite.level == "note"
    assert "not installed" in suite.value


def test_a_plugin_that_failed_to_load_is_named_with_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = registry.PluginFailure("hallucinators", packages.DISTRIBUTION, "ImportError: no\x1b[31m such thing")
    monkeypatch.setattr(registry, "_FAILURES", [failure])
    fact = next(fact for fact in packages.plugin_facts() if fact.name == "hallucinators")
    assert fact.level == "problem"
    assert r"ImportError: no\x1b[31m such thing" in fact.value
