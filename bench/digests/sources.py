"""Imports of a Python source, and a digest of its compiled code."""

from __future__ import annotations

import ast
import hashlib
import importlib.machinery
import importlib.util
import marshal
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import CodeType

EXTENSIONS = tuple(importlib.machinery.EXTENSION_SUFFIXES)
"""Suffixes of compiled modules."""
_CALLS = (b"import_module", b"__import__")
_OF_THIS_PACKAGE = ("__package__", "__name__")
_FILE_NAME = re.compile(r"(?:[\w+-]+/){0,4}[\w+.-]{1,80}\.\w{1,12}")
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement, or a call of ``importlib.import_module`` with a literal name.

    Attributes:
        module: dotted name; may be empty where ``level`` is not 0.
        level: leading dots of a relative import.
        names: imported names; each may be a sub-module. ``*`` means all.
    """

    module: str
    level: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Digest and imports of a source.

    Attributes:
        digest: SHA-256 over its compiled code without docstrings, comments, line numbers and blocks for type checkers,
            and over the bytes of data files in its folder that it names in text constants; over the bytes of a file
            that is not Python source or does not compile.
        imports: every import that may be executed, also inside functions.
        exported: the literal ``__all__``, for ``from module import *``.
        texts: its text constants that may be names of files.
    """

    digest: str
    imports: tuple[Import, ...] = ()
    exported: tuple[str, ...] = ()
    texts: frozenset[str] = frozenset()


@cache
def read_source(path: Path) -> Source:
    """Read a source once in each process: imported code does not change while the process runs.

    Raises:
        OSError: it cannot be read.
    """
    data = path.read_bytes()
    if path.suffix != ".py":
        return Source(hashlib.sha256(data).hexdigest())
    try:
        source = parse_source(data)
    except (SyntaxError, ValueError, RecursionError):
        return Source(hashlib.sha256(data).hexdigest())
    named = [path.parent / text for text in sorted(source.texts) if not text.endswith(".py")]
    data_files = [file.name.encode() + hashlib.sha256(file.read_bytes()).digest() for file in named if file.is_file()]
    return replace(source, digest=hashlib.sha256(b"".join([source.digest.encode(), *data_files])).hexdigest())


def parse_source(data: bytes) -> Source:
    """Parse the bytes of a Python source.

    Raises:
        SyntaxError, ValueError, RecursionError: they do not compile.
    """
    tree = ast.parse(data)
    imports: list[Import] = []
    exported: tuple[str, ...] = ()
    for node in _statements(tree, keep_docstrings=b"__doc__" in data):
        if isinstance(node, ast.Import):
            imports += [Import(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append(Import(node.module or "", node.level, tuple(alias.name for alias in node.names)))
        elif isinstance(node, ast.Assign) and _assigns_all(node):
            exported = tuple(part.value for part in ast.walk(node.value) if _is_text(part))  # type: ignore[attr-defined]
    if any(call in data for call in _CALLS):
        imports += [called for node in ast.walk(tree) if (called := _import_by_call(node))]
    code = compile(tree, "", "exec", dont_inherit=True, optimize=0)
    # version 2 of marshal: later versions also record which constants are the same object
    digest = hashlib.sha256(marshal.dumps(_without_positions(code), 2)).hexdigest()
    return Source(digest, tuple(imports), exported, frozenset(_file_names(code)))


def _statements(tree: ast.Module, *, keep_docstrings: bool) -> Iterator[ast.AST]:
    """Every statement; docstrings and blocks for type checkers are removed from the tree."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If):
            _drop_type_checking(node)
        elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if not keep_docstrings and node.body and _is_docstring(node.body[0]):
                node.body[:1] = [] if len(node.body) > 1 or isinstance(node, ast.Module) else [ast.Pass(**_NO_POSITION)]
        yield node
        for block in _BLOCKS:
            inner = getattr(node, block, None)
            if type(inner) is list:
                waiting += inner


_NO_POSITION = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and _is_text(node.value)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _drop_type_checking(node: ast.If) -> None:
    """Empty the branch of ``if TYPE_CHECKING`` that is never run."""
    test, negated = node.test, False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, negated = test.operand, True
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    if name == "TYPE_CHECKING":
        if negated:
            node.orelse = []
        else:
            node.body = [ast.Pass(**_NO_POSITION)]


def _assigns_all(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)


def _import_by_call(node: ast.AST) -> Import | None:
    """The import of ``import_module("name")``, ``import_module(".name", package)`` or ``__import__("name")``."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    called, first = node.func, node.args[0]
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    if name not in ("import_module", "__import__") or not isinstance(first, ast.Constant):
        return None
    if not isinstance(first.value, str) or not first.value:
        return None
    module = first.value.lstrip(".")
    level = len(first.value) - len(module)
    package = next((keyword.value for keyword in node.keywords if keyword.arg == "package"), None)
    package = package or (node.args[1] if len(node.args) > 1 and name == "import_module" else None)
    if level and isinstance(package, ast.Constant) and isinstance(package.value, str):
        try:
            return Import(importlib.util.resolve_name(first.value, package.value))
        except ImportError:
            return None
    if level and not (isinstance(package, ast.Name) and package.id in _OF_THIS_PACKAGE):
        return None
    return Import(module, level)


def _file_names(code: CodeType) -> Iterator[str]:
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _file_names(value)
        elif isinstance(value, str) and _FILE_NAME.fullmatch(value):
            yield value


def _without_positions(code: CodeType) -> CodeType:
    """Compiled code without line numbers and the name of its file."""
    constants = tuple(_without_positions(value) if isinstance(value, CodeType) else value for value in code.co_consts)
    return code.replace(co_consts=constants, co_linetable=b"", co_firstlineno=1)
