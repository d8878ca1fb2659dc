"""One way in for every component: a decorator on a factory whose keyword arguments are its configuration."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, Union

from bench.errors import UnknownNameError, UsageError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

Details = Mapping[str, str | tuple[str, ...]]
ENTRY_POINT_GROUP = "bench.plugins"
_BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)


@dataclass(frozen=True, slots=True)
class Argument:
    """One keyword argument of a factory: name, annotation as written, default (``required`` says there is none)."""

    name: str
    annotation: Any
    default: object
    required: bool

    @property
    def type_name(self) -> str:
        """The annotation as a user reads it, for instance ``int`` or ``none|mtcnn``."""
        return _type_name(self.annotation)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A registered component.

    Attributes:
        kind: the registry's kind.
        name: what the user types.
        factory: called with keyword arguments; returns the component. Imports what is heavy inside.
        summary: one sentence.
        source: paper, or where the component comes from.
        licence: licence of the code or weights, for the user to respect.
        missing: called without arguments; returns why the component cannot run here and what to do, or None when it
            can. Must be quick: no heavy import.
        module: the module that registered it.
        details: called without arguments; returns what else there is to know, by name, as text or as lines: sizes,
            parameters, where the implementation departs from its paper. Must be quick.
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
        return tuple(
            Argument(p.name, hints.get(p.name, str), p.default, p.default is p.empty)
            for p in inspect.signature(self.factory).parameters.values()
            if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
        )

    def configure(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return every argument with its value: given ones converted to their type, the rest by default.

        Args:
            given: argument values; strings are converted by the annotation.

        Raises:
            UsageError: an argument is unknown, missing or cannot be converted; all faults are listed at once.
        """
        known = {a.name: a for a in self.arguments()}
        faults, values = [], {}
        for name in given:
            if name not in known:
                faults.append(f"unknown argument {name!r}{_did_you_mean(name, known)}")
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
        return self.factory(**self.configure(given or {}))


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
                self.kind, name, typing.cast("Callable[..., T]", factory), summary, source, licence, missing,
                factory.__module__, details,
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
        from bench.plugins import failures  # a plugin that failed to load may be the reason

        broken = "".join(f" Plugin {f.name!r} failed to load: {f.cause}." for f in failures())
        raise UnknownNameError(
            f"Unknown {self.kind} {name!r}.{_did_you_mean(name, self._entries)} "
            f"Registered: {', '.join(sorted(self._entries)) or 'none'}.{broken} A plugin's names appear once its "
            f"package is installed and declares an entry point in {ENTRY_POINT_GROUP!r}."
        )


@dataclass(frozen=True, slots=True)
class Spec:
    """A component as the user asked for it: ``name:key=value,key=value``."""

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


def convert(value: object, annotation: Any) -> object:
    """Convert a string to the annotated type; a value that is no string is only checked.

    Supports bool, int, float, str, Path, Literal, unions with None (``none``), and tuples of one item type
    (``[1,2,3]``).

    Raises:
        ValueError: the value does not fit; the text says what would.
    """
    origin = typing.get_origin(annotation)
    if origin in (Union, types.UnionType):
        options = typing.get_args(annotation)
        chosen = any(typing.get_origin(o) is Literal and value in typing.get_args(o) for o in options)  # "none" may be
        if type(None) in options and not chosen:
            if value is None or (isinstance(value, str) and value.lower() == "none"):
                return None
        faults = []
        for option in options:
            if option is not type(None):
                try:
                    return convert(value, option)
                except ValueError as error:
                    faults.append(str(error))
        raise ValueError("; ".join(faults))
    if origin is Literal:
        choices = typing.get_args(annotation)
        for choice in choices:
            if value == choice or str(value) == str(choice):
                return choice
        raise ValueError(f"{value!r} is none of {', '.join(map(str, choices))}{_did_you_mean(str(value), choices)}")
    if origin is tuple:
        item = typing.get_args(annotation)[0]
        if isinstance(value, str):
            inner = value.strip().removeprefix("[").removesuffix("]")
            value = [part for part in inner.split(",") if part.strip()]
        if not isinstance(value, (list, tuple)):
            raise ValueError(f"{value!r} is not a list such as [1,2]")
        return tuple(convert(part, item) for part in value)
    return _convert_plain(value, annotation)


def _convert_plain(value: object, annotation: Any) -> object:
    if annotation is Any or annotation is object:
        return value
    if annotation is Path:
        if isinstance(value, (str, Path)) and str(value):
            return Path(value).expanduser()
        raise ValueError(f"{value!r} is not a path")
    if not isinstance(value, str):
        if annotation is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, annotation) and not (annotation in (int, float) and isinstance(value, bool)):
            return value
        raise ValueError(f"{value!r} is {type(value).__name__}, not {_type_name(annotation)}")
    if annotation is bool:
        if value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        raise ValueError(f"{value!r} is neither true nor false")
    if annotation in (int, float):
        try:
            number: int | float = annotation(value)
        except ValueError:
            raise ValueError(f"{value!r} is not {'a whole number' if annotation is int else 'a number'}") from None
        return number
    if annotation is str:
        return value
    raise ValueError(f"arguments of type {_type_name(annotation)} cannot be given as text")


def _function(factory: Callable[..., object]) -> Callable[..., object]:
    return factory.__init__ if isinstance(factory, type) else factory  # type: ignore[misc]  # the hints are on __init__


def _type_name(annotation: Any) -> str:
    if typing.get_origin(annotation) is Literal:
        return "|".join(map(str, typing.get_args(annotation)))
    if typing.get_origin(annotation) in (Union, types.UnionType):
        return "|".join(_type_name(option) for option in typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return f"[{_type_name(typing.get_args(annotation)[0])},...]"
    return "none" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _did_you_mean(name: str, known: object) -> str:
    near = difflib.get_close_matches(name, [str(k) for k in typing.cast("Mapping[str, object]", known)], n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def split_outside_brackets(text: str) -> list[str]:
    """Split at the commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character == "[") - (character == "]")
        if character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
