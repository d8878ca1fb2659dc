"""Passes of a chain, timed in a process of their own, so that memory and threads are their own too.

``python -m bench.evaluation.efficiency.passes ASK.json`` does what the file asks and writes the answer to the place it
names; `measure` starts it and reads the answer.
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
"""Passes that are timed however long they take."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_SAID = 300  # characters of a dead process's last words


@dataclass(frozen=True, slots=True)
class Ask:
    """What to time: the chain, on what, how often; see `bench.studies.EfficiencySet`."""

    chain: str
    device: str
    cores: int
    faces: tuple[str, ...]
    repeats: int
    warmup: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process measured.

    Attributes:
        pass_ms: milliseconds of each timed pass, in order; empty where the chain failed.
        peak_mib: the most memory over what stood before the chain was built; None where it cannot be read.
        memory: what kind of memory that is, or why there is none.
        parameters: count, count of those used, how they were counted, weight files left out.
        outcomes: status, stage and reason of each face.
        failure: why there is no time; empty where there is.
    """

    pass_ms: tuple[float, ...] = ()
    peak_mib: float | None = None
    memory: str = ""
    parameters: tuple[int | None, int | None, str, tuple[str, ...]] = (None, None, "", ())
    outcomes: tuple[tuple[str, str, str], ...] = ()
    failure: str = ""


def time_shard(shard: Sequence[Ask], progress: Progress) -> list[Answer]:
    """Time chains one after the other: a stage for an engine."""
    answers = []
    for ask in shard:
        answers.append(measure(ask))
        progress(1)
    return answers


def measure(ask: Ask) -> Answer:
    """Time a chain in a process of its own; one that dies is an answer with the reason."""
    with tempfile.TemporaryDirectory(prefix="bench-passes-") as folder:
        asked, answered, said = (Path(folder, name) for name in ("ask.json", "answer.json", "stderr.txt"))
        asked.write_text(json.dumps({"ask": asdict(ask), "answer": str(answered)}), encoding="utf-8")
        paths = [os.path.abspath(path) for path in sys.path]
        threads = dict.fromkeys(_THREADS, str(ask.cores))
        with said.open("wb") as words:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "bench.evaluation.efficiency.passes", str(asked)],
                env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
            )
        if not answered.is_file():
            return Answer(failure=f"its process ended without an answer ({_ending(done.returncode)}){_last(said)}")
        raw = json.loads(answered.read_text(encoding="utf-8"))
    count, used, how, left_out = raw["parameters"]
    return Answer(
        tuple(raw["pass_ms"]),
        raw["peak_mib"],
        raw["memory"],
        (count, used, how, tuple(left_out)),
        tuple((status, stage, reason) for status, stage, reason in raw["outcomes"]),
        raw["failure"],
    )


def main(argv: Sequence[str]) -> int:
    """Do what a file asks."""
    raw = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    ask = Ask(**{**raw["ask"], "faces": tuple(raw["ask"]["faces"])})
    try:
        answer = _answer(ask)
    except BenchError as error:
        answer = Answer(failure=str(error))
    write_file(Path(raw["answer"]), json.dumps(asdict(answer), allow_nan=False))
    return 0


def _answer(ask: Ask) -> Answer:
    from bench.evaluation.efficiency.memory import Watch
    from bench.evaluation.efficiency.parameters import computing, count
    from bench.images import read_image
    from bench.pipeline.chain import Chain
    from bench.pipeline.output_checks import INTERPOLATING
    from bench.registry import load_plugins

    load_plugins()
    chain = Chain.parse(ask.chain, {"device": ask.device, "threads": ask.cores})
    images = [read_image(Path(face)) for face in ask.faces]
    if any(step.spec.name not in INTERPOLATING for step in chain.steps):
        import torch  # its own memory is none of the hallucinator's

        torch.set_num_threads(ask.cores)
    device = _Device(ask.device)
    watch, unread = None, ""
    with ExitStack() as stack:
        try:
            watch = stack.enter_context(Watch())
        except MissingError as error:
            unread = str(error)
        with computing() as called:
            _, outcomes = chain.hallucinate(images, batch_size=len(images))
        told = tuple((o.status, o.stage, o.reason) for o in outcomes)
        failed = [o for o in outcomes if o.status == "failed"]
        if failed:
            why = sorted({f"{outcome.stage}: {outcome.reason}" for outcome in failed})
            return Answer(outcomes=told, failure=f"{len(failed)} of {len(images)} faces failed ({'; '.join(why)})")
        pass_ms = _timed(chain, images, ask, device.synchronise)
    found = count(chain.steps, called)
    peak, memory = device.peak_mib(), f"the most that torch allocated on {ask.device}"
    if peak is None and watch:
        peak, memory = watch.peak - watch.start, "resident memory above what stood before the chain was built"
    return Answer(
        pass_ms,
        peak,
        memory if peak is not None else unread,
        (found.count, found.used, found.how, found.left_out),
        told,
    )


def _timed(chain: Chain, images: Sequence[ByteImages], ask: Ask, synchronise: Callable[[], None]) -> tuple[float, ...]:
    """Milliseconds of passes after the first, which is done."""
    spent: list[float] = []
    begun = time.perf_counter()
    for number in range(1 - ask.warmup, ask.repeats):
        if number >= LEAST and time.perf_counter() - begun > ask.seconds:
            break
        synchronise()
        start = time.perf_counter()
        chain.hallucinate(images, batch_size=len(images))
        synchronise()
        if number >= 0:
            spent.append((time.perf_counter() - start) * 1000)
    return tuple(spent)


class _Device:
    """An accelerator where one was asked for: waited for around every pass, and asked for its memory."""

    def __init__(self, name: str) -> None:
        self._cuda: Any = None
        if name.startswith("cuda"):
            import torch

            self._cuda, self._at = torch.cuda, torch.device(resolve_device(name))
            self._cuda.reset_peak_memory_stats(self._at)

    def synchronise(self) -> None:
        if self._cuda is not None:
            self._cuda.synchronize(self._at)

    def peak_mib(self) -> float | None:
        """None on a processor, and where the chain computed on one all the same."""
        if self._cuda is None:
            return None
        return float(self._cuda.max_memory_allocated(self._at)) / 2**20 or None


def _ending(code: int) -> str:
    try:
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    except ValueError:
        return f"exit code {code}"


def _last(said: Path) -> str:
    """The last line a process said, for the reader."""
    lines = said.read_text(encoding="utf-8", errors="replace").split("\n")
    words = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {words[-_SAID:]}" if words else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv))
