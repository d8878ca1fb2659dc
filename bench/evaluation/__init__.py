"""How each kind of study is measured: one module a kind, with ``KIND``, ``measure`` and ``figures``.

``measure(run)`` does the work of a prepared run; ``figures(result)`` computes the figures of a finished one again from
what it stored, without models or images.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from bench.digests.closure import closure
from bench.errors import ContractError, DataError
from bench.provenance import version_of
from bench.studies import EfficiencySet, ExpressionSet, RestorationSet, Study, VerificationSet

if TYPE_CHECKING:
    from bench.evaluation.contract import Measured, Prepared
    from bench.results import Figure, RunResult

IDENTIFICATION = "identification"
KINDS: dict[type, str] = {
    VerificationSet: "verification",
    RestorationSet: "restoration",
    ExpressionSet: "expression",
    EfficiencySet: "efficiency",
}

UNRECOGNISED = ("expression", "efficiency")
"""Kinds whose figures depend on no recogniser and no alignment."""

_PACKAGES = {"restoration": ("ai-edge-litert", "lpips")}
"""Packages without which a kind has fewer figures."""


def kind_of(study: Study) -> str:
    """Name of the kind of a study."""
    return KINDS.get(type(study), IDENTIFICATION)


def code_of(kind: str) -> Mapping[str, str]:
    """Digests of the modules that measure a kind, so that a finished run is made again when its measuring changed."""
    packages = {f"package {name}": version_of(name) or "absent" for name in _PACKAGES.get(kind, ())}
    return {**closure("bench.evaluation", f"bench.evaluation.{kind}.measure"), **packages}


def measure(run: Prepared) -> Measured:
    """Measure a prepared run.

    Raises:
        BenchError: nothing could be scored, so there is no result.
        ContractError: the protocol says that no recogniser matters, and has read a study of which that is not true.
    """
    kind = kind_of(run.data)
    if not run.protocol.component.recognises and kind not in UNRECOGNISED:
        raise ContractError(
            f"The protocol {run.protocol.spec.name} says recognises=False, but its study is of the kind {kind}, whose "
            "figures depend on a recogniser."
        )
    module = importlib.import_module(f"bench.evaluation.{kind}.measure")
    return cast("Measured", module.measure(run))


def rescore(result: RunResult) -> RunResult:
    """The same run with its figures computed again from what it stored.

    Raises:
        DataError: it is of a kind that this version does not know.
    """
    kind = result.record.protocol.get("kind", IDENTIFICATION)
    if kind not in (IDENTIFICATION, *KINDS.values()):
        raise DataError(f"A run of the kind {kind!r}; this bench knows {IDENTIFICATION}, {', '.join(KINDS.values())}")
    module = importlib.import_module(f"bench.evaluation.{kind}.measure")
    try:
        found = cast("dict[str, Figure]", module.figures(result))
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(
            f"What the run stored gives no figures ({type(error).__name__}: {error}). Run it again."
        ) from error
    return replace(result, record=replace(result.record, metrics=found))
