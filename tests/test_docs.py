"""What the documents tell users to type: Python snippets run, command lines parse, names and options exist."""

from __future__ import annotations

import argparse
import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bench.__main__ import make_parser
from bench.checks.toy_faces import draw_face
from bench.images import encode_png, resize
from bench.interfaces import ALIGNERS, HALLUCINATORS, PROTOCOLS, RECOGNISERS
from bench.registry import Registry, Spec, load_plugins

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "hallucinators" / "weights").glob("*.md")),
]
PLACEHOLDERS = ("my-network", "sharpen")  # hallucinators of a reader's own
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)

Bench = Callable[..., tuple[int, str, str]]


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def snippets() -> Iterator[tuple[str, str]]:
    """Python blocks, with the document that holds them."""
    for document in DOCUMENTS:
        for language, text in FENCED.findall(document.read_text(encoding="utf-8")):
            if language == "python":
                yield name_of(document), text


def command_lines() -> Iterator[tuple[str, str]]:
    """Lines of fenced blocks that begin with ``bench``, without comments and what stands in front."""
    for document in DOCUMENTS:
        for language, text in FENCED.findall(document.read_text(encoding="utf-8")):
            for line in text.replace("\\\n", " ").splitlines() if language in ("", "sh", "bash", "console") else ():
                line = re.sub(r"\s#.*", "", line.strip().removeprefix("$ ")).strip()
                line = re.sub(r"^(?:.*&& |[A-Z_]+=\S+ )+(?=bench )", "", line)
                if line.startswith("bench "):
                    yield name_of(document), line


def quoted_commands() -> Iterator[tuple[str, str]]:
    """Commands in running text: `` `bench data check` ``."""
    for document in DOCUMENTS:
        text = FENCED.sub("", document.read_text(encoding="utf-8"))
        for line in re.findall(r"`(bench [a-z][^`]*)`", text):
            yield name_of(document), " ".join(line.split())


def split_command(line: str) -> list[str]:
    """The words of a command: the first of alternatives, optional parts included."""
    line = re.sub(r"\[([^]|]*)(?:\|[^]]*)?\](?!\S)", r"\1", line)
    line = re.sub(r"(?<=[a-z])\|[a-z|]+", "", line).replace("...", "")
    return shlex.split(line)[1:]


def assert_named(registry: Registry, text: str) -> None:
    """A component exists and takes the arguments that it is given."""
    spec = Spec.parse(text)
    if spec.name not in PLACEHOLDERS:
        registry[spec.name].configure(dict(spec.arguments))


def split(items: list[str] | str | None) -> Iterator[str]:
    """Components of a flag: by commas, but for those that belong to arguments; and the steps of chains."""
    for item in [items] if isinstance(items, str) else items or ():
        for part in re.split(r",(?![^,:+]*=)", item):
            yield from part.split("+")


@pytest.mark.parametrize(("document", "text"), list(snippets()), ids=[name for name, _ in snippets()])
def test_a_python_snippet_runs(document: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.png").write_bytes(encode_png(resize(draw_face(1, 0, 64), 16, 16)))
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{document}: {done.stderr}"


def test_the_plugin_of_the_documents_is_the_one_that_is_tested() -> None:
    def classes(text: str) -> list[str]:
        return [ast.dump(node) for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]

    (shown,) = [text for document, text in snippets() if document == "docs/plugins.md" and "class Sharpen" in text]
    tested = (ROOT / "tests" / "plugin_package" / "bench_sharpen.py").read_text(encoding="utf-8")
    assert classes(shown) == classes(tested)


@pytest.mark.parametrize(("document", "line"), sorted(set(command_lines())))
def test_a_command_line_parses_and_names_what_there_is(document: str, line: str) -> None:
    load_plugins()
    try:
        args = make_parser().parse_args(split_command(line))
    except SystemExit as stopped:
        pytest.fail(f"{document}: {line} ends with exit code {stopped.code}")
    flags = vars(args)
    if line.startswith("bench run"):
        for registry, flag in ((PROTOCOLS, "protocol"), (HALLUCINATORS, "hallucinator"), (RECOGNISERS, "recogniser")):
            for item in split(flags.get(flag)):
                if item != "all":
                    assert_named(registry, item)
        for flag in ("align", "align_gallery"):
            if flags.get(flag):
                assert_named(ALIGNERS, flags[flag])
    elif line.startswith("bench data check"):
        assert_named(PROTOCOLS, flags["protocol"])


@pytest.mark.parametrize(("document", "line"), sorted(set(quoted_commands())))
def test_a_command_in_the_text_exists_with_its_options(document: str, line: str) -> None:
    parser: argparse.ArgumentParser = make_parser()
    for word in line.split()[1:]:
        groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if not groups:
            break
        assert word in groups[0].choices, f"{document}: there is no command {line!r}"
        parser = groups[0].choices[word]
    with suppress(SystemExit):  # options that are added late are there after the parser has been used once
        parser.parse_known_args([])
    for option in re.findall(r"--[a-z][a-z_-]*", line):
        assert option in parser._option_string_actions, f"{document}: {line!r} has no option {option}"


@pytest.mark.parametrize("line", sorted({line for _, line in command_lines() if line.startswith("bench list")}))
def test_a_list_that_is_shown_can_be_had(line: str, bench: Bench) -> None:
    words = split_command(line)
    if words[-1] not in PLACEHOLDERS:
        assert bench(*words)[0] == 0


@pytest.mark.slow
def test_the_first_command_of_the_readme_needs_no_data(bench: Bench, tmp_path: Path) -> None:
    first = next(line for document, line in command_lines() if document == "README.md")
    assert first == "bench run --protocol tinyface"
    code, out, err = bench(*split_command(first), "--out", tmp_path / "run")
    assert code == 0, err
    assert "of 59 probes found their person first in the gallery." in out
    assert "Compare: bench run --protocol tinyface --hallucinator none,vividgan-flow" in err
