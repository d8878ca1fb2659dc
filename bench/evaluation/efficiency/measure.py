"""Parameters, milliseconds a face and memory of a chain (Table IV), each batch in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from bench import progress
from bench.engine.local import LocalEngine
from bench.errors import BenchError, DataError, UsageError
from bench.evaluation.contract import Measured, Prepared
from bench.evaluation.efficiency import passes
from bench.evaluation.efficiency.figures import MEMORY, PARAMETERS, TIME, USED, figures_of
from bench.evaluation.efficiency.load import Others
from bench.evaluation.efficiency.passes import Answer, Ask
from bench.io.file_digests import file_digest
from bench.pipeline.plan import Embedded
from bench.results import ItemRow
from bench.results.kinds import EFFICIENCY
from bench.studies import EfficiencySet
from bench.types import Media, Outcome


def measure(run: Prepared) -> Measured:
    """Time the chain on drawn faces.

    Raises:
        UsageError: threads are given in the wrong place, or a gallery is to be hallucinated.
        BenchError: no pass could be timed.
    """
    data = run.data
    if not isinstance(data, EfficiencySet):
        raise DataError(f"An efficiency run was given a {type(data).__name__}")
    if run.side != "probe":
        raise UsageError(f"hallucinate={run.side}: an efficiency run has no gallery. Use --hallucinate probe.")
    if run.config.threads not in (0, data.cores):
        raise UsageError(
            f"An efficiency run was asked for {run.config.threads} threads. They are part of what it measures: give "
            f"them as --protocol efficiency:cores={run.config.threads}, which the run's folder is told apart by."
        )
    requests = [
        Ask(
            run.probe_plan.chain or run.config.hallucinator,
            run.config.device,
            data.cores,
            tuple(str(media.path) for media in data.faces[:batch]),
            repeats=data.repeats,
            warmup=data.warmup,
            seconds=data.seconds,
        )
        for batch in data.batches
    ]
    # times are those of the machine that the record describes, so this engine computes them whatever the run's is
    engine = LocalEngine()
    with Others() as others, progress.stage("time batches", len(requests)) as advance:
        results = engine.map(passes.time_shard, requests, shard_size=1, progress=advance)
        answers = {batch: answer for batch, [answer] in zip(data.batches, results, strict=True)}
    whole = [batch for batch, answer in answers.items() if not answer.failure]
    if not whole:
        causes = "; ".join(f"batch {batch}: {answer.failure}" for batch, answer in answers.items())
        raise BenchError(f"{run.config.hallucinator} gave no pass that could be timed ({causes}).")
    items = _items(answers)
    warnings = _busy(others.cores, data.cores) + _warnings(answers, answers[whole[-1]], run.config.device)
    embedded = {"probe": (data.faces, _embedded(data.faces, answers)), "gallery": ((), _embedded((), answers))}
    first = answers[whole[0]]
    return Measured(
        figures_of(items, seed=run.config.seed),
        embedded,  # type: ignore[arg-type]  # the keys are roles
        items=tuple(items),
        warnings=tuple(warnings),
        rules={
            "kind": EFFICIENCY,
            "items": "measurements",
            "cores": data.cores,
            "batches": list(data.batches),
            "warmup": data.warmup,
            "parameters": first.parameters[2],
            "memory": first.memory,
            "device": run.config.device,
        },
    )


def _items(answers: dict[int, Answer]) -> list[ItemRow]:
    """Everything measured, as rows."""
    rows = []
    known = next((a for a in answers.values() if not a.failure), Answer())
    count, used, *_ = known.parameters
    counted = {name: float(value) for name, value in ((PARAMETERS, count), (USED, used)) if value is not None}
    if counted:
        rows.append(ItemRow("parameters", "", "ok", "", "", counted))
    for batch, answer in answers.items():
        if answer.failure:
            rows.append(ItemRow(f"batch={batch}", "", "failed", "hallucinate", answer.failure, {"batch": float(batch)}))
            continue
        rows += [
            ItemRow(f"batch={batch}/pass={k:03d}", "", "ok", "", "", {"batch": float(batch), TIME: spent / batch})
            for k, spent in enumerate(answer.pass_ms)
        ]
        if answer.peak_mib is not None:
            values = {"batch": float(batch), MEMORY: answer.peak_mib}
            rows.append(ItemRow(f"batch={batch}/memory", "", "ok", "", "", values))
    return rows


def _warnings(answers: dict[int, Answer], known: Answer, device: str) -> list[str]:
    """What a reader should know before believing the figures."""
    count, _, how, left_out = known.parameters
    found = [f"Batch {batch} has no figures: {a.failure}." for batch, a in answers.items() if a.failure]
    if count is None:
        found.append(f"The number of parameters cannot be known: {how}.")
    if left_out:
        found.append(f"Not among the parameters counted: those of {', '.join(left_out)}.")
    if known.peak_mib is None:
        found.append(f"Memory was not measured: {known.memory}")
    if device != "cpu" and known.peak_mib is not None and known.memory.startswith("resident"):
        found.append(f"Torch allocated nothing on {device}: the hallucinator computed on the processor.")
    return found


def _busy(others: float | None, own: int) -> list[str]:
    """A sentence where other work kept more than half of the cores that were left, or a fifth of one, busy."""
    cores = os.cpu_count() or 1
    if others is None or others < max(0.2, (cores - own) / 2):
        return []
    return [
        f"Other work ran meanwhile (on {others:.1f} of {cores} cores, mean): times are longer than on an idle machine."
    ]


def _embedded(faces: Sequence[Media], answers: dict[int, Answer]) -> Embedded:
    """How each face fared in the largest batch that gave outcomes; nothing is embedded."""
    reported = max((answer.outcomes for answer in answers.values()), key=len, default=())
    outcomes = [Outcome(status, stage, reason) for status, stage, reason in reported]  # type: ignore[arg-type]  # a Status
    batch = max((b for b, a in answers.items() if a.failure), default=0)
    unknown = Outcome("failed", "hallucinate", f"batch {batch}: no pass came to its end") if batch else Outcome()
    outcomes += [unknown] * (len(faces) - len(outcomes))
    timed = {b: a for b, a in answers.items() if not a.failure} if faces else {}
    return Embedded(
        np.zeros((len(faces), 0), np.float32),
        tuple(outcomes[: len(faces)]),
        tuple(file_digest(media.path) for media in faces),
        {"hallucinate": sum(sum(answer.pass_ms) for answer in timed.values()) / 1000},
        {"hallucinate": sum(batch * len(answer.pass_ms) for batch, answer in timed.items())},
    )
