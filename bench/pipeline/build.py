"""Builds components from what the user typed, with their record and the fingerprint for cache keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from bench.devices import CPU, describe_device, resolve_device
from bench.digests.closure import closure, modules_digest
from bench.errors import one_line
from bench.io.file_digests import DigestedPath, digest_of, path_digest
from bench.registry import Registry, Spec
from bench.results import StageRecord
from bench.types import WeightsFile


class Versioned(Protocol):
    """Attributes of hallucinators, aligners and recognisers alike."""

    version: str
    weights: tuple[WeightsFile, ...]


V = TypeVar("V", bound=Versioned)

_WITHOUT_EFFECT = ("threads",)
"""Arguments that change the time of a component and no result."""


@dataclass(frozen=True)
class Built(Generic[V]):
    """A component, its arguments, and what identifies its results.

    Attributes:
        component: the component itself.
        spec: what the user typed.
        arguments: every argument with its value; paths as text.
        fingerprint: SHA-256 over ``configuration`` and ``code``.
        source: paper, or where it comes from.
        licence: of its code or weights.
        configuration: SHA-256 over name, arguments, weights and what arguments that are paths name, by their bytes.
        code: its version, and digests of the modules that decide its results, by name (see `bench.digests.closure`).
        files: files that it may read at any time.
    """

    component: V
    spec: Spec
    arguments: Mapping[str, object]
    fingerprint: str
    source: str
    licence: str
    configuration: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    files: tuple[DigestedPath, ...] = ()

    def record(self, stage: str, side: str) -> StageRecord:
        """The record of the stage; called after the last image."""
        weights = tuple({"name": w.name, "sha256": w.sha256} for w in self.component.weights)
        return StageRecord(
            stage,
            side,
            self.spec.name,
            self.component.version,
            self.arguments,
            weights,
            self.source,
            self.licence,
            self.execution(),
        )

    def execution(self) -> dict[str, object]:
        """Facts on the computation: those of the component, else its ``device``; without one, the CPU.

        A plugin that raises here, when the work is done, loses nothing: the error is recorded instead.
        """
        facts: dict[str, object] = {"device": self.arguments.get("device", CPU)}
        try:
            used: Mapping[str, object] = getattr(self.component, "execution", dict)()
            facts |= {str(name): _plain(value) for name, value in used.items()}
            facts["device"] = describe_device(str(facts["device"]))
        except Exception as error:  # noqa: BLE001  # see above
            facts["not known"] = f"{type(error).__name__}: {one_line(error)}"
        return facts

    def notes(self) -> tuple[str, ...]:
        """Sentences that belong beside the figures."""
        try:
            return tuple(str(note) for note in getattr(self.component, "notes", tuple)())
        except Exception as error:  # noqa: BLE001  # as above
            return (f"{self.spec.name}: notes() raised {type(error).__name__}: {one_line(error)}",)


def build(registry: Registry[V], spec: Spec, defaults: Mapping[str, object] | None = None) -> Built[V]:
    """Build a component.

    Args:
        registry: where its name is looked up.
        spec: what the user typed.
        defaults: values for arguments the user did not give, used only where the factory takes them (``device``).

    Raises:
        UnknownNameError, UsageError: the name or an argument is wrong.
        MissingError: the component needs something that is absent; raised by the factory.
    """
    entry = registry[spec.name]
    takes = {argument.name for argument in entry.arguments()}
    named = {name: value for name, value in (defaults or {}).items() if name in takes} | dict(spec.arguments)
    values = entry.configure(named)
    device = values.get("device")
    if isinstance(device, str):
        values["device"] = resolve_device(device)
    who = f"{registry.kind} {spec.name}"
    paths = tuple(DigestedPath(path, path_digest(path), who) for path in _paths(values.values()))
    component = entry.construct(values)
    arguments = {name: _recordable(value) for name, value in values.items()}
    weights = [[w.name, w.sha256] for w in component.weights]
    files = (*paths, *(DigestedPath(w.path, w.sha256, who) for w in component.weights if w.path is not None))
    decisive = {name: value for name, value in arguments.items() if name not in _WITHOUT_EFFECT}
    configuration = digest_of([registry.kind, spec.name, decisive, weights, [path.sha256 for path in paths]])
    modules = closure(entry.module, type(component).__module__)
    code = {**modules, f"version of {who}": digest_of(component.version)}
    fingerprint = digest_of([configuration, modules_digest(code)])
    return Built(component, spec, arguments, fingerprint, entry.source, entry.licence, configuration, code, files)


def _paths(values: Iterable[object]) -> Iterator[Path]:
    """The paths among the values of arguments, and in lists of them."""
    for value in values:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _paths(value)


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, str)) or value is None else str(value)


def _recordable(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return [_recordable(part) for part in value] if isinstance(value, tuple) else value
