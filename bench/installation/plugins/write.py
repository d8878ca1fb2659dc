"""Writes the package of a new plugin from a template."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from bench.errors import UsageError
from bench.io.atomic import write_file

KINDS = ("hallucinator", "recogniser", "aligner", "protocol")
MOST_LINES = 30
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def plugin_files(name: str, kind: str) -> dict[str, str]:
    """The files of a package by name: ``pyproject.toml`` and one module.

    Args:
        name: of the component, lower-case words joined by ``-``.
        kind: of `KINDS`.

    Raises:
        UsageError: the name or the kind is not possible.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no kind {kind!r}; known are {', '.join(KINDS)}.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a component: use lower-case letters, digits and '-', a letter first.")
    module = f"bench_{name.replace('-', '_')}"
    values = {
        "name": name,
        "module": module,
        "distribution": module.replace("_", "-"),
        "class_name": "".join(part.capitalize() for part in name.split("-")),
        "summary": f"The {kind} {name}.",
    }
    templates = files("bench.installation.plugins")
    texts = {"pyproject.toml": "pyproject.txt", f"{module}.py": f"{kind}.txt"}
    return {
        file: Template(templates.joinpath(template).read_text(encoding="utf-8")).substitute(values)
        for file, template in texts.items()
    }


def write_plugin(folder: Path, name: str, kind: str) -> list[Path]:
    """Write the package of a plugin into a new or empty folder.

    Raises:
        UsageError: the name or the kind is not possible, or the folder has files.
        BenchError: a file cannot be written.
    """
    texts = plugin_files(name, kind)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not an empty folder; give a new one by --out.")
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in texts.items():
        write_file(folder / file, text)
    return [folder / file for file in texts]
