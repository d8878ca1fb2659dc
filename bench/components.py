"""From what the user typed to a built component with its record and the fingerprint that caches rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from bench.provenance import code_digest, digest_of
from bench.registry import Registry, Spec
from bench.results import StageRecord
from bench.types import WeightsFile


class Versioned(Protocol):
    """What hallucinators, aligners and recognisers have in common."""

    version: str
    weights: tuple[WeightsFile, ...]


V = TypeVar("V", bound=Versioned)

_WITHOUT_EFFECT = ("threads",)
"""Arguments that change the time a component takes and nothing it computes."""


@dataclass(frozen=True)
class Built(Generic[V]):
    """A component, how it was asked for, and what identifies its results.

    Attributes:
        component: the component itself.
        spec: what the user typed.
        arguments: every argument with its value; paths as text.
        fingerprint: SHA-256 over name, arguments, version, weights and the code of its package.
    """

    component: V
    spec: Spec
    arguments: Mapping[str, object]
    fingerprint: str
    source: str
    licence: str

    def record(self, stage: str, side: str) -> StageRecord:
        """The stage record that goes into the run."""
        weights = tuple({"name": w.name, "sha256": w.sha256} for w in self.component.weights)
        return StageRecord(
            stage, side, self.spec.name, self.component.version, self.arguments, weights, self.source, self.licence
        )


def build(registry: Registry[V], spec: Spec, defaults: Mapping[str, object] | None = None) -> Built[V]:
    """Build a component.

    Args:
        registry: where its name is looked up.
        spec: what the user typed.
        defaults: values for arguments the user did not give, used only where the factory takes them (``device``).

    Raises:
        UnknownNameError, UsageError: the name or an argument is wrong.
        MissingError: the component needs something that is not here; raised by the factory.
    """
    entry = registry[spec.name]
    takes = {argument.name for argument in entry.arguments()}
    given = {name: value for name, value in (defaults or {}).items() if name in takes} | dict(spec.arguments)
    values = entry.configure(given)
    component = entry.factory(**values)
    arguments = {name: _recordable(value) for name, value in values.items()}
    weights = [[w.name, w.sha256] for w in component.weights]
    decisive = {name: value for name, value in arguments.items() if name not in _WITHOUT_EFFECT}
    fingerprint = digest_of(
        [registry.kind, spec.name, decisive, component.version, weights, code_digest(type(component).__module__)]
    )
    return Built(component, spec, arguments, fingerprint, entry.source, entry.licence)


def _recordable(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
