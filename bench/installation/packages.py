"""Python and its packages: this suite, what it requires, its extras, conflicting packages, plugins."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench import __version__
from bench.errors import one_line, pip_install
from bench.installation.facts import Fact
from bench.provenance import environment

DISTRIBUTION = "face-hallucination-bench"
FOR_USERS: Mapping[str, str] = {
    "dlib": "recogniser dlib; identity loss of the training",
    "faces": "nothing: the face engine comes with every install",
    "insightface": "recogniser insightface",
    "landmarks": "FAN landmarks for training",
    "lpips": "LPIPS of restoration",
    "restorers": "hallucinator spandrel: restorers by others",
    "train": "bench train",
}
"""Purpose of each extra; extras for developers and combined extras are omitted."""
_CONFLICTING = (
    ("opencv-python", "opencv-contrib-python", "opencv-python-headless", "opencv-contrib-python-headless"),
    ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml"),
)
"""Distributions that write the same module: two of a row may overwrite each other."""


def package_facts() -> list[Fact]:
    """Python, the suite, what it requires, its extras, and conflicting packages."""
    needed = _requirements()
    return [
        Fact("packages", "Python", f"{platform.python_version()} ({sys.executable or 'no executable'})"),
        _suite(),
        *_required(needed[""]),
        *(_extra(name, needed) for name in FOR_USERS if name in needed),
        *_conflicts(),
    ]


def plugin_facts() -> list[Fact]:
    """Plugins of other distributions, and every plugin that failed to load."""
    from importlib.metadata import entry_points

    from bench.registry import ENTRY_POINT_GROUP, failures, load_plugins

    load_plugins()
    failed = {failure.name: failure for failure in failures()}
    facts = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        package = point.dist.name if point.dist else "unknown package"
        if point.name in failed:
            is_suite = package == DISTRIBUTION
            facts.append(
                Fact(
                    "plugins",
                    point.name,
                    f"of {package} failed to load: {one_line(failed[point.name].cause)}",
                    "problem" if is_suite else "note",
                    "Install the suite again." if is_suite else f"Repair it, or remove it: pip uninstall {package}",
                )
            )
        elif package != DISTRIBUTION:
            facts.append(Fact("plugins", point.name, f"of {package} {_version(package)}, loaded"))
    return facts or [Fact("plugins", "of others", "none")]


def _suite() -> Fact:
    state = environment(device="", threads=0)
    commit, changed = state["commit"], state["dirty"]
    words = [__version__]
    if commit:
        words.append(f"commit {str(commit)[:12]}{' with changes' if changed else ''}")
    installed = _version(DISTRIBUTION)
    where = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if not installed:
        hint = "Extras and plugins are not known without it: pip install in a checkout, or set it up again."
        return Fact("packages", "bench", f"{', '.join(words)}, not installed; runs from {where}", "note", hint)
    return Fact("packages", "bench", f"{', '.join(words)}, in {where}")


def _required(needed: list[Requirement]) -> Iterator[Fact]:
    faults = {requirement: fault for requirement in needed if (fault := _fault(requirement))}
    if not needed:
        return
    if not faults:
        yield Fact("packages", "required", f"all {len(needed)} packages are installed")
    for requirement, fault in faults.items():
        yield Fact("packages", "required", fault, "problem", f"In this environment: {_install(requirement)}")


def _extra(name: str, needed: Mapping[str, list[Requirement]]) -> Fact:
    faults = {requirement: fault for requirement in _expand_extra(name, needed) if (fault := _fault(requirement))}
    if not faults:
        return Fact("packages", f"extra {name}", f"installed ({FOR_USERS[name]})")
    missing = "; ".join(faults.values())
    hint = f"{_install(*faults)}, in a checkout: pip install '.[{name}]'"
    return Fact("packages", f"extra {name}", f"not installed ({FOR_USERS[name]}): {missing}", "note", hint)


def _install(*needed: Requirement) -> str:
    return pip_install(*(f"'{requirement.name}{requirement.specifier}'" for requirement in needed))


def _conflicts() -> Iterator[Fact]:
    for row in _CONFLICTING:
        installed = [f"{name} {installed_version}" for name in row if (installed_version := _version(name))]
        if len(installed) > 1:
            hint = f"Remove all of them, then: {pip_install(row[0])}"
            yield Fact("packages", "conflict", f"{', '.join(installed)} write the same module", "note", hint)


def _requirements() -> dict[str, list[Requirement]]:
    """Requirements of the suite by extra; the empty name has those of every installation."""
    by_extra: dict[str, list[Requirement]] = {"": []}
    try:
        requirements = [Requirement(line) for line in requires(DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return by_extra
    for requirement in requirements:
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            by_extra[""].append(requirement)
            continue
        for name in FOR_USERS:
            if marker.evaluate({"extra": name}):
                by_extra.setdefault(name, []).append(requirement)
    return by_extra


def _expand_extra(name: str, needed: Mapping[str, list[Requirement]]) -> Iterator[Requirement]:
    """The requirements of an extra, including those of extras that it combines."""
    for requirement in needed.get(name, []):
        if canonicalize_name(requirement.name) == DISTRIBUTION:
            for other in requirement.extras:
                yield from _expand_extra(other, needed)
        else:
            yield requirement


def _fault(requirement: Requirement) -> str:
    """The fault of a required package: missing, or of a wrong version; empty if there is none."""
    installed = _version(requirement.name)
    if not installed:
        return f"{requirement.name} is missing"
    if not requirement.specifier.contains(installed, prereleases=True):
        return f"{requirement.name} {installed} is installed, {requirement.name}{requirement.specifier} is needed"
    return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
