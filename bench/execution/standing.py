"""Decides by counts and digests whether a run is a smoke run, a run on drawn people or a run on a published set.

What ``run.json`` says is a claim. A claim that makes the run worth less (``smoke``, ``sample``) is accepted. The claim
that its data are the published set is accepted only where its counts are the published ones and its seal is intact.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.errors import BenchError
from bench.io.strictfiles import shorten
from bench.results import RunRecord, RunResult

_SMOKE_NOTE = "Smoke run:"


@dataclass(frozen=True, slots=True)
class Standing:
    """What a run is.

    Attributes:
        smoke: whether it is on a part of the probes.
        sample: whether its people are drawn.
        official: whether its data are the published set; None where none is published.
        changed: whether the folder was changed after the run, or claims that a limited run is whole. Such a run is
            never ranked.
        doubts: sentences on why a claim of ``run.json`` is not accepted; empty for most.
    """

    smoke: bool
    sample: bool
    official: bool | None
    changed: bool
    doubts: tuple[str, ...]


def standing_of(result: RunResult, changes: str = "", *, rows: bool = True) -> Standing:
    """What a run is, by its content.

    Args:
        result: the run.
        changes: changes of the folder since the run (`bench.results.seal.describe_changes`), or empty.
        rows: whether it comes with its rows; without them only its counts and ledger can be compared.
    """
    record = result.record
    doubts = [changes] if changes else []
    smoke = bool(_limited(record))
    if smoke and not record.smoke:
        doubts.append(f"it says that it is no smoke run, and {_limited(record)}")
    changed = bool(doubts)
    claim = record.data.get("official")
    official: bool | None = False
    if claim is None and not published_counts(record.protocol):
        official = None
    elif claim is True and not (smoke or record.sample or doubts):
        published = published_counts(record.protocol)
        other = "; ".join([*_differing(result, published or {}, rows=rows), *(_inconsistent(result) if rows else ())])
        official = bool(published) and not other
        if other:
            doubts.append(f"it says that its data are the published set, and {other}")
    return Standing(smoke, record.sample, official, changed, tuple(shorten(doubt, 400) for doubt in doubts))


def believed(result: RunResult, standing: Standing) -> RunResult:
    """The run with its standing in place of its claims."""
    data = {**result.record.data, "official": standing.official}
    record = replace(result.record, smoke=standing.smoke, sample=standing.sample, data=data)
    return replace(result, record=record)


def published_counts(rules: Mapping[str, object]) -> Mapping[str, int] | None:
    """Counts of the published set, as the protocol named in a record declares them; None where it declares none."""
    from bench.interfaces import PROTOCOLS
    from bench.pipeline.build import build
    from bench.registry import Spec, load_plugins

    name, arguments = str(rules.get("name")), rules.get("arguments", {})
    importlib.import_module("protocols")
    if name not in PROTOCOLS:
        load_plugins()
    given = arguments.items() if isinstance(arguments, Mapping) else ()
    try:
        spec = Spec(name, tuple((str(key), _written(value)) for key, value in given))
        return build(PROTOCOLS, spec).component.published_counts()
    except (BenchError, ImportError, OSError, ValueError, TypeError):
        return None


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    return "none" if value is None else str(value)


def _limited(record: RunRecord) -> str:
    """What says that the run was limited; empty where nothing does."""
    if record.smoke:
        return "it says so"
    for name in ("limit", "limit_gallery"):
        for value in (getattr(record, name), record.config.get(name)):
            if value is not None:
                return f"its {name.replace('_', '-')} is {value}"
    notes = record.data.get("notes", ())
    if isinstance(notes, list | tuple) and any(str(note).startswith(_SMOKE_NOTE) for note in notes):
        return "a note says that it is one"
    return ""


def _inconsistent(result: RunResult) -> Iterable[str]:
    """Where counts, ledger and rows disagree."""
    counts = _counts(result.record)
    for role, ledger in result.record.ledger.items():
        if role in counts and counts[role] != ledger.total:
            yield f"it counts {counts[role]:,} {role} images, and its ledger {ledger.total:,}"
    templates = {row.template or row.key for row in result.probes}
    if "probe" in counts and len(templates) > counts["probe"]:
        yield f"it counts {counts['probe']:,} probe images, and has rows of {len(templates):,} probes"
    if result.record.limit is not None and len(templates) > result.record.limit:
        yield f"its limit is {result.record.limit:,}, and it has rows of {len(templates):,} probes"


def _differing(result: RunResult, published: Mapping[str, int], *, rows: bool) -> Iterable[str]:
    """Counts that are not the published ones."""
    counts = _counts(result.record)
    if rows:
        counts |= _of_rows(result)
    for name, number in published.items():
        if name in counts and counts[name] != number:
            yield f"it has {counts[name]:,} of {number:,} {name}"
        elif name not in counts and (rows or name in ("probe", "gallery", "distractor")):
            yield f"it does not say how many {name} it has"


def _of_rows(result: RunResult) -> dict[str, int]:
    """Counts of rows and arrays."""
    counts = {"searches": len(result.probes), "items": len(result.items)}
    if result.probes:
        counts["probe identities"] = len({row.identity for row in result.probes})
    if "scores" in result.arrays and "same" in result.arrays:
        counts |= {"pairs": len(result.arrays["scores"]), "same pairs": int(result.arrays["same"].sum())}
    return counts


def _counts(record: RunRecord) -> dict[str, int]:
    counts = record.data.get("counts", {})
    return {str(name): n for name, n in counts.items() if isinstance(n, int)} if isinstance(counts, Mapping) else {}
