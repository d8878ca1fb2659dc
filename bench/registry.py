"""Registries of components, of this suite and of plugins: a decorator registers a factory with keyword arguments."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from bench.errors import UnknownNameError, UsageError
from bench.faults import cause_of, refuse_exit
from bench.grammar.docstrings import described_arguments
from bench.grammar.values import convert, nearest, split_outside_brackets, suggestion, type_name
from bench.modules.plugin_file import run_plugin_files_of_parent
from bench.neighbours import check_neighbours

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

Details = Mapping[str, str | tuple[str, ...]]
ENTRY_POINT_GROUP = "bench.plugins"


@dataclass(frozen=True, slots=True)
class Argument:
    """One keyword argument of a factory.

    Attributes:
        name: as written in ``name=value``.
        annotation: its type annotation.
        default: its default; meaningless where ``required``.
        required: whether it has no default.
        description: its text in the ``Args`` section of the docstring; empty if there is none.
    """

    name: str
    annotation: Any
    default: object
    required: bool
    description: str = ""

    @property
    def type_name(self) -> str:
        """The annotation as a user reads it, for instance ``int`` or ``none|mtcnn``."""
        return type_name(self.annotation)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A registered component.

    Attributes:
        kind: the registry's kind.
        name: what the user types.
        factory: called with keyword arguments; returns the component. Heavy imports belong inside it.
        summary: one sentence.
        source: paper, or where the component comes from.
        licence: licence of the code or weights.
        missing: called without arguments; returns why the component cannot run here, or None when it can. Quick.
        module: the module that registered it.
        details: called without arguments; returns further facts by name (sizes, parameters, departures). Must be quick.
    """

    kind: str
    name: str
    factory: Callable[..., T]
    summary: str
    source: str
    licence: str
    missing: Callable[[], str | None]
    module: str
    details: Callable[[], Details] = dict

    def arguments(self) -> tuple[Argument, ...]:
        """The factory's keyword arguments, in order."""
        hints = typing.get_type_hints(_function(self.factory))
        descriptions = described_arguments(self.factory)
        return tuple(
            Argument(p.name, hints.get(p.name, str), p.default, p.default is p.empty, descriptions.get(p.name, ""))
            for p in inspect.signature(self.factory).parameters.values()
            if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
        )

    def configure(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return every argument with its value: given values converted to their type, the others by default.

        Args:
            given: argument values; strings are converted by the annotation.

        Raises:
            UsageError: an argument is unknown, missing or cannot be converted; all faults are listed.
        """
        known = {a.name: a for a in self.arguments()}
        faults, values = [], {}
        for name in given:
            if name not in known:
                faults.append(f"unknown argument {name!r}{suggestion(name, known)}")
        for name, argument in known.items():
            if name in given:
                try:
                    values[name] = convert(given[name], argument.annotation)
                except ValueError as error:
                    faults.append(f"{name}: {error}")
            elif argument.required:
                faults.append(f"{name} is required ({argument.type_name})")
            else:
                values[name] = argument.default
        if faults:
            takes = ", ".join(f"{a.name}: {a.type_name}" for a in known.values()) or "no arguments"
            raise UsageError(f"{self.kind} {self.name!r}: {'; '.join(faults)}. It takes {takes}.")
        return values

    def create(self, given: Mapping[str, object] | None = None) -> T:
        """Build the component; see `configure` for the arguments."""
        return self.construct(self.configure(given or {}))

    def construct(self, values: Mapping[str, Any]) -> T:
        """Build the component from every argument's value, as `configure` gives them.

        Raises:
            ContractError: the factory ends the program (``sys.exit``).
        """
        with refuse_exit(f"{self.kind} {self.name!r} of {self.module}, at construction"):
            return self.factory(**values)


class Registry(Generic[T]):
    """Components of one kind by name. A name clash is an error, never a silent replacement."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, Entry[T]] = {}

    def register(
        self,
        name: str,
        *,
        summary: str,
        source: str = "",
        licence: str = "",
        missing: Callable[[], str | None] = lambda: None,
        details: Callable[[], Details] = dict,
    ) -> Callable[[F], F]:
        """Register the decorated factory (a function or a class) under a name.

        Raises:
            UsageError: the name is taken, or holds a character that the specification grammar uses.
        """
        if not name or set(name) & set(":,=+ /\\"):
            raise UsageError(f"{self.kind} name {name!r} is empty or holds one of ':,=+/\\' or a space")

        def decorate(factory: F) -> F:
            if name in self._entries:
                raise UsageError(
                    f"{self.kind} {name!r} of {factory.__module__} is already registered by "
                    f"{self._entries[name].module}"
                )
            self._entries[name] = Entry(
                self.kind, name, typing.cast("Callable[..., T]", factory), summary, source, licence, _guarded(missing),
                factory.__module__, _guarded_details(details),
            )  # fmt: skip
            return factory

        return decorate

    def __iter__(self) -> Iterator[Entry[T]]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> Entry[T]:
        if name in self._entries:
            return self._entries[name]
        broken = "".join(f" Plugin {f.name!r} failed to load: {f.cause}." for f in failures())
        near = nearest(name, self._entries)
        hint = f" Did you mean {near!r}?" if near else ""
        raise UnknownNameError(
            f"Unknown {self.kind} {name!r}.{hint} "
            f"Registered: {', '.join(sorted(self._entries)) or 'none'}.{broken} A plugin's names appear once its "
            f"package is installed and declares an entry point in {ENTRY_POINT_GROUP!r}."
        )


@dataclass(frozen=True, slots=True)
class PluginFailure:
    """A plugin that could not be imported: its entry point, its package and the cause in one line."""

    name: str
    package: str
    cause: str


_FAILURES: list[PluginFailure] = []


@cache
def load_plugins() -> None:
    """Import every module of the entry-point group once; in a child process, also run the parent's plugin files.

    A module that fails to import (also by ``sys.exit``) is recorded with its cause; the others are still loaded.

    Raises:
        BenchError: see `check_neighbours` and `bench.modules.plugin_file.run_plugin_files`.
        KeyboardInterrupt: the user interrupts.
    """
    check_neighbours()
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=_suite_first):
        try:
            point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever a plugin raises, the others must load
            _FAILURES.append(PluginFailure(point.name, _package(point), cause_of(error)))
    run_plugin_files_of_parent()


def failures() -> tuple[PluginFailure, ...]:
    """The plugins whose import has failed so far."""
    return tuple(_FAILURES)


@dataclass(frozen=True, slots=True)
class Spec:
    """A component as the user writes it: ``name:key=value,key=value``."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Parse ``name`` or ``name:key=value,...``.

        A value may hold commas when it is in brackets: ``points=[1,2,3]``.

        Raises:
            UsageError: the text does not follow the grammar, or a key comes twice.
        """
        name, colon, rest = text.strip().partition(":")
        if not name or (colon and not rest):
            raise UsageError(f"{text!r} is not of the form name or name:key=value,key=value")
        pairs: dict[str, str] = {}
        for part in split_outside_brackets(rest) if rest else []:
            key, equals, value = part.partition("=")
            key = key.strip().replace("-", "_")
            if not equals or not key:
                raise UsageError(f"{text!r}: {part!r} is not of the form key=value")
            if key in pairs:
                raise UsageError(f"{text!r}: {key!r} is given twice")
            pairs[key] = value.strip()
        return cls(name, tuple(pairs.items()))

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        return f"{self.name}:{','.join(f'{key}={value}' for key, value in self.arguments)}"


def _guarded(missing: Callable[[], str | None]) -> Callable[[], str | None]:
    """A wrapper of ``missing`` that returns an exception as the reason why the component cannot run."""

    def guarded() -> str | None:
        try:
            return missing()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # code of a plugin, which must not end `bench list`
            return f"The check of its requirements failed: {cause_of(error)}."

    return guarded


def _guarded_details(details: Callable[[], Details]) -> Callable[[], Details]:
    """A wrapper of ``details`` that returns an exception in place of the details."""

    def guarded() -> Details:
        try:
            return details()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # code of a plugin, which must not end `bench list`
            return {"details": f"not known: {cause_of(error)}"}

    return guarded


def _function(factory: Callable[..., object]) -> Callable[..., object]:
    return factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]  # the hints are on __init__


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown package"


def _suite_first(point: EntryPoint) -> tuple[bool, str]:
    return (_package(point) != "face-hallucination-bench", point.name)  # a plugin causes a name clash
