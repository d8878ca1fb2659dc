"""Evaluation of each kind of study: one package per kind, with modules ``measure`` and ``figures``.

``measure.measure(run)`` executes a prepared run. ``figures`` holds pure functions over stored rows, the only place
where figures are computed: for a new run, for rescoring a finished run, and to check a run folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from bench.digests.closure import closure
from bench.errors import ContractError, DataError
from bench.provenance import version_of
from bench.results.kinds import EFFICIENCY, EXPRESSION, IDENTIFICATION, RESTORATION, VERIFICATION, recorded_kind
from bench.studies import EfficiencySet, ExpressionSet, RestorationSet, Study, VerificationSet

if TYPE_CHECKING:
    from bench.evaluation.contract import Measured, Prepared
    from bench.results import Figure, RunResult

KINDS: dict[type, str] = {
    VerificationSet: VERIFICATION,
    RestorationSet: RESTORATION,
    ExpressionSet: EXPRESSION,
    EfficiencySet: EFFICIENCY,
}
KNOWN = (IDENTIFICATION, *KINDS.values())
"""Names of all kinds."""

UNRECOGNISED = (EXPRESSION, EFFICIENCY)
"""Kinds whose figures depend on no recogniser and no alignment."""

_PACKAGES = {RESTORATION: ("ai-edge-litert", "lpips")}
"""Packages without which a kind has fewer figures."""


def kind_of(study: Study) -> str:
    """Name of the kind of a study."""
    return KINDS.get(type(study), IDENTIFICATION)


def code_of(kind: str) -> Mapping[str, str]:
    """Digests of the modules that measure a kind, so that a run is repeated when that code has changed."""
    packages = {f"package {name}": version_of(name) or "absent" for name in _PACKAGES.get(kind, ())}
    return {**closure("bench.evaluation", f"bench.evaluation.{kind}.measure"), **packages}


def measure(run: Prepared) -> Measured:
    """Measure a prepared run.

    Raises:
        BenchError: nothing could be scored, so there is no result.
        ContractError: the protocol says ``recognises=False``, but figures of its study depend on a recogniser.
    """
    kind = kind_of(run.data)
    if not run.protocol.component.recognises and kind not in UNRECOGNISED:
        raise ContractError(
            f"The protocol {run.protocol.spec.name} says recognises=False, but its study is of the kind {kind}, whose "
            "figures depend on a recogniser."
        )
    module = importlib.import_module(f"bench.evaluation.{kind}.measure")
    return cast("Measured", module.measure(run))


def figures(result: RunResult, *, intervals: bool = True) -> dict[str, Figure]:
    """Compute the figures of a run from its stored rows and arrays, without models or images.

    Args:
        result: a run of one of the `KNOWN` kinds.
        intervals: False omits the bootstrap.

    Raises:
        BenchError: the stored data give no figure.
        LookupError, TypeError, ValueError, ArithmeticError: the stored data are not those of such a run.
    """
    module = importlib.import_module(f"bench.evaluation.{recorded_kind(result.record.protocol)}.figures")
    return cast("dict[str, Figure]", module.figures(result, intervals=intervals))


def rescore(result: RunResult) -> RunResult:
    """The same run with its figures recomputed from its stored rows and arrays.

    Raises:
        DataError: this version does not know the kind, or the stored data give no figures.
    """
    kind = recorded_kind(result.record.protocol)
    if kind not in KNOWN:
        raise DataError(f"A run of the kind {kind!r}; this bench knows {', '.join(KNOWN)}")
    try:
        metrics = figures(result)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise DataError(
            f"The stored data of the run give no figures ({type(error).__name__}: {error}). Run it again."
        ) from error
    return replace(result, record=replace(result.record, metrics=metrics))
