"""Run records for tests of printed text: no images, no data, only what is printed."""

from __future__ import annotations

from typing import Any

from bench.results import Figure, RunRecord, StageRecord


def run_record(kind: str, metrics: dict[str, Figure], **rules: Any) -> RunRecord:
    """A run of 7 people by SFace, with an empty ledger.

    Args:
        kind: kind of the protocol, also its name.
        metrics: figures by name.
        **rules: further fields of the protocol.
    """
    return RunRecord(
        bench_version="1",
        label="net",
        created="2026",
        smoke=False,
        limit=None,
        sample=False,
        config={},
        config_digest="",
        protocol={"name": kind, **({} if kind == "identification" else {"kind": kind}), **rules},
        data={"name": "data", "counts": {"probe identities": 7}},
        stages=(StageRecord("embed", "gallery", "sface", "1", {}, ()),),
        metrics=metrics,
        ledger={},
        warnings=(),
        timings={},
        environment={},
        seed=0,
    )
