"""Times the passes of a chain in a separate process, so that memory and threads are those of the chain alone.

``python -m bench.evaluation.efficiency.passes REQUEST.json`` reads a request and writes the result to the path that it
names; `measure` starts this process and reads the result.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.devices import resolve_device
from bench.errors import BenchError, MissingError
from bench.io.atomic import write_file
from bench.progress import Progress

if TYPE_CHECKING:
    from bench.interfaces import ByteImages
    from bench.pipeline.chain import Chain

LEAST = 3
"""Smallest number of timed passes, however long they take."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_LAST_CHARACTERS = 300  # characters of the last line of a process that failed


@dataclass(frozen=True, slots=True)
class TimingRequest:
    """A chain to time: device, faces, repeats; see `bench.studies.EfficiencySet`."""

    chain: str
    device: str
    cores: int
    faces: tuple[str, ...]
    repeats: int
    warmup: int
    seconds: float


@dataclass(frozen=True, slots=True)
class TimingResult:
    """Measurements of one process.

    Attributes:
        pass_ms: milliseconds of each timed pass, in order; empty where the chain failed.
        peak_mib: peak memory above that before the chain was built; None where it cannot be read.
        memory: kind of that memory, or the reason why there is none.
        parameters: count, count of those used, how they were counted, weight files left out.
        outcomes: status, stage and reason of each face.
        failure: why there are no times; empty otherwise.
    """

    pass_ms: tuple[float, ...] = ()
    peak_mib: float | None = None
    memory: str = ""
    parameters: tuple[int | None, int | None, str, tuple[str, ...]] = (None, None, "", ())
    outcomes: tuple[tuple[str, str, str], ...] = ()
    failure: str = ""


def time_shard(shard: Sequence[TimingRequest], progress: Progress) -> list[TimingResult]:
    """Time chains in sequence: a stage for an engine."""
    results = []
    for request in shard:
        results.append(measure(request))
        progress(1)
    return results


def measure(request: TimingRequest) -> TimingResult:
    """Time a chain in a separate process; if that fails, the result holds the reason."""
    with tempfile.TemporaryDirectory(prefix="bench-passes-") as folder:
        request_file, result_file, output_file = (
            Path(folder, name) for name in ("ask.json", "answer.json", "stderr.txt")
        )
        request_file.write_text(json.dumps({"ask": asdict(request), "answer": str(result_file)}), encoding="utf-8")
        paths = [os.path.abspath(path) for path in sys.path]
        threads = dict.fromkeys(_THREADS, str(request.cores))
        with output_file.open("wb") as output:
            process = subprocess.run(
                [sys.executable, "-P", "-m", "bench.evaluation.efficiency.passes", str(request_file)],
                env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if not result_file.is_file():
            return TimingResult(
                failure=f"its process ended without a result ({_describe_exit(process.returncode)})"
                f"{_last_line(output_file)}"
            )
        raw = json.loads(result_file.read_text(encoding="utf-8"))
    count, used, how, left_out = raw["parameters"]
    return TimingResult(
        tuple(raw["pass_ms"]),
        raw["peak_mib"],
        raw["memory"],
        (count, used, how, tuple(left_out)),
        tuple((status, stage, reason) for status, stage, reason in raw["outcomes"]),
        raw["failure"],
    )


def main(argv: Sequence[str]) -> int:
    """Time the chain of a request file and write the result."""
    raw = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    request = TimingRequest(**{**raw["ask"], "faces": tuple(raw["ask"]["faces"])})
    try:
        result = _time_chain(request)
    except BenchError as error:
        result = TimingResult(failure=str(error))
    write_file(Path(raw["answer"]), json.dumps(asdict(result), allow_nan=False))
    return 0


def _time_chain(request: TimingRequest) -> TimingResult:
    from bench.evaluation.efficiency.memory import PeakMemory
    from bench.evaluation.efficiency.parameters import called_modules, count
    from bench.images import read_image
    from bench.pipeline.chain import Chain
    from bench.pipeline.output_checks import INTERPOLATING
    from bench.registry import load_plugins

    load_plugins()
    chain = Chain.parse(request.chain, {"device": request.device, "threads": request.cores})
    images = [read_image(Path(face)) for face in request.faces]
    if any(step.spec.name not in INTERPOLATING for step in chain.steps):
        import torch  # so that torch itself is not part of the hallucinator's memory

        torch.set_num_threads(request.cores)
    device = _Device(request.device)
    peak_memory, no_memory_reason = None, ""
    with ExitStack() as stack:
        try:
            peak_memory = stack.enter_context(PeakMemory())
        except MissingError as error:
            no_memory_reason = str(error)
        with called_modules() as called:
            _, outcomes = chain.hallucinate(images, batch_size=len(images))
        face_outcomes = tuple((o.status, o.stage, o.reason) for o in outcomes)
        failed = [o for o in outcomes if o.status == "failed"]
        if failed:
            causes = sorted({f"{outcome.stage}: {outcome.reason}" for outcome in failed})
            return TimingResult(
                outcomes=face_outcomes, failure=f"{len(failed)} of {len(images)} faces failed ({'; '.join(causes)})"
            )
        pass_ms = _time_passes(chain, images, request, device.synchronise)
    parameters = count(chain.steps, called)
    peak, memory = device.peak_mib(), f"the most that torch allocated on {request.device}"
    if peak is None and peak_memory:
        peak, memory = (
            peak_memory.peak - peak_memory.start,
            "resident memory above what stood before the chain was built",
        )
    return TimingResult(
        pass_ms,
        peak,
        memory if peak is not None else no_memory_reason,
        (parameters.count, parameters.used, parameters.how, parameters.left_out),
        face_outcomes,
    )


def _time_passes(
    chain: Chain, images: Sequence[ByteImages], request: TimingRequest, synchronise: Callable[[], None]
) -> tuple[float, ...]:
    """Milliseconds of the timed passes; the first pass was done before."""
    times_ms: list[float] = []
    started = time.perf_counter()
    for number in range(1 - request.warmup, request.repeats):
        if number >= LEAST and time.perf_counter() - started > request.seconds:
            break
        synchronise()
        start = time.perf_counter()
        chain.hallucinate(images, batch_size=len(images))
        synchronise()
        if number >= 0:
            times_ms.append((time.perf_counter() - start) * 1000)
    return tuple(times_ms)


class _Device:
    """Synchronises and reads the memory of a CUDA device; does nothing on other devices."""

    def __init__(self, name: str) -> None:
        self._cuda: Any = None
        if name.startswith("cuda"):
            import torch

            self._cuda, self._device = torch.cuda, torch.device(resolve_device(name))
            self._cuda.reset_peak_memory_stats(self._device)

    def synchronise(self) -> None:
        if self._cuda is not None:
            self._cuda.synchronize(self._device)

    def peak_mib(self) -> float | None:
        """Peak of torch's allocations; None on a processor, and where the chain computed on a processor."""
        if self._cuda is None:
            return None
        return float(self._cuda.max_memory_allocated(self._device)) / 2**20 or None


def _describe_exit(code: int) -> str:
    try:
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    except ValueError:
        return f"exit code {code}"


def _last_line(output_file: Path) -> str:
    """The last line of output of a process, for the error."""
    lines = output_file.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {last[-_LAST_CHARACTERS:]}" if last else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv))
