"""Parameters, milliseconds per face and memory of a chain (Table IV), each batch size in a separate process."""

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
from bench.evaluation.efficiency.load import OtherLoad
from bench.evaluation.efficiency.passes import TimingRequest, TimingResult
from bench.io.file_digests import file_digest
from bench.pipeline.plan import Embedded
from bench.results import ItemRow
from bench.results.kinds import EFFICIENCY
from bench.studies import EfficiencySet
from bench.types import Media, Outcome


def measure(run: Prepared) -> Measured:
    """Time the chain on drawn faces.

    Raises:
        UsageError: threads are given by --threads and not by the protocol, or a gallery is to be hallucinated.
        BenchError: no pass could be timed.
    """
    data = run.data
    if not isinstance(data, EfficiencySet):
        raise DataError(f"An efficiency run was given a {type(data).__name__}")
    if run.side != "probe":
        raise UsageError(f"hallucinate={run.side}: an efficiency run has no gallery. Use --hallucinate probe.")
    if run.config.threads not in (0, data.cores):
        raise UsageError(
            f"An efficiency run cannot take --threads {run.config.threads}: its protocol sets the number of cores. "
            f"Give it as --protocol efficiency:cores={run.config.threads}, which becomes part of the run folder's name."
        )
    requests = [
        TimingRequest(
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
    # the times must be those of the machine in the record, so this engine is local whatever the run's engine is
    engine = LocalEngine()
    with OtherLoad() as other_load, progress.stage("time batches", len(requests)) as advance:
        results = engine.map(passes.time_shard, requests, shard_size=1, progress=advance)
        timings = {batch: timing for batch, [timing] in zip(data.batches, results, strict=True)}
    completed = [batch for batch, timing in timings.items() if not timing.failure]
    if not completed:
        causes = "; ".join(f"batch {batch}: {timing.failure}" for batch, timing in timings.items())
        raise BenchError(f"{run.config.hallucinator} completed no pass that could be timed ({causes}).")
    items = _items(timings)
    warnings = _load_warnings(other_load.cores, data.cores) + _warnings(
        timings, timings[completed[-1]], run.config.device
    )
    embedded = {"probe": (data.faces, _embedded(data.faces, timings)), "gallery": ((), _embedded((), timings))}
    first = timings[completed[0]]
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


def _items(timings: dict[int, TimingResult]) -> list[ItemRow]:
    """All measurements, as rows."""
    rows = []
    completed = next((a for a in timings.values() if not a.failure), TimingResult())
    count, used, *_ = completed.parameters
    counted = {name: float(value) for name, value in ((PARAMETERS, count), (USED, used)) if value is not None}
    if counted:
        rows.append(ItemRow("parameters", "", "ok", "", "", counted))
    for batch, timing in timings.items():
        if timing.failure:
            rows.append(ItemRow(f"batch={batch}", "", "failed", "hallucinate", timing.failure, {"batch": float(batch)}))
            continue
        rows += [
            ItemRow(
                f"batch={batch}/pass={number:03d}", "", "ok", "", "", {"batch": float(batch), TIME: time_ms / batch}
            )
            for number, time_ms in enumerate(timing.pass_ms)
        ]
        if timing.peak_mib is not None:
            values = {"batch": float(batch), MEMORY: timing.peak_mib}
            rows.append(ItemRow(f"batch={batch}/memory", "", "ok", "", "", values))
    return rows


def _warnings(timings: dict[int, TimingResult], completed: TimingResult, device: str) -> list[str]:
    """Warnings about failed batches, parameters and memory."""
    count, _, how, uncovered_files = completed.parameters
    warnings = [f"Batch {batch} has no figures: {a.failure}." for batch, a in timings.items() if a.failure]
    if count is None:
        warnings.append(f"The number of parameters cannot be known: {how}.")
    if uncovered_files:
        warnings.append(f"Not among the parameters counted: those of {', '.join(uncovered_files)}.")
    if completed.peak_mib is None:
        warnings.append(f"Memory was not measured: {completed.memory}")
    if device != "cpu" and completed.peak_mib is not None and completed.memory.startswith("resident"):
        warnings.append(f"Torch allocated nothing on {device}: the hallucinator computed on the processor.")
    return warnings


def _load_warnings(other_cores: float | None, cores_used: int) -> list[str]:
    """A warning if other processes used more than half of the remaining cores, and at least a fifth of one."""
    all_cores = os.cpu_count() or 1
    if other_cores is None or other_cores < max(0.2, (all_cores - cores_used) / 2):
        return []
    return [
        f"Other processes used {other_cores:.1f} of {all_cores} cores (mean): times are longer than on an idle machine."
    ]


def _embedded(faces: Sequence[Media], timings: dict[int, TimingResult]) -> Embedded:
    """Outcome of each face in the largest batch with outcomes; nothing is embedded."""
    reported = max((timing.outcomes for timing in timings.values()), key=len, default=())
    outcomes = [Outcome(*fields) for fields in reported]  # type: ignore[arg-type]  # the first is a Status
    batch = max((b for b, a in timings.items() if a.failure), default=0)
    unknown = Outcome("failed", "hallucinate", f"batch {batch}: no pass was completed") if batch else Outcome()
    outcomes += [unknown] * (len(faces) - len(outcomes))
    timed = {b: a for b, a in timings.items() if not a.failure} if faces else {}
    return Embedded(
        np.zeros((len(faces), 0), np.float32),
        tuple(outcomes[: len(faces)]),
        tuple(file_digest(media.path) for media in faces),
        {"hallucinate": sum(sum(timing.pass_ms) for timing in timed.values()) / 1000},
        {"hallucinate": sum(batch * len(timing.pass_ms) for batch, timing in timed.items())},
    )
