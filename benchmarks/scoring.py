"""Time closed-set scoring at TinyFace's size: matrix product, `bench.metrics.search.ranking.search`, the dense way.

python benchmarks/scoring.py [--probes N] [--gallery N] [--dim D] [--signal S] [--repeats N] [--dense]

Unit vectors with planted mates; the gallery holds 4,443 mated templates of 2,569 identities (in proportion where it
is smaller) and distractors. ``--dense`` holds the whole score matrix and its argsort, in a process of its own.
Set OMP_NUM_THREADS to the number of threads wanted: all three use the same.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.metrics.identification import rank_k_rate
from bench.metrics.search.ranking import search

TINYFACE = {"probes": 3728, "gallery": 157_871, "mated": 4443, "identities": 2569}
RANKS = (1, 5, 20)
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Result = TypeVar("Result")


def plant(probes: int, gallery: int, dim: int, signal: float) -> tuple[Floats, Floats, Ids, Ids]:
    """Draw unit vectors: noise plus ``signal`` times the centre of the identity; distractors are noise."""
    rng = np.random.default_rng(0)
    mated = min(gallery, max(1, TINYFACE["mated"] * gallery // TINYFACE["gallery"]))
    people = max(1, TINYFACE["identities"] * mated // TINYFACE["mated"])
    gallery_ids = np.full(gallery, -1)
    gallery_ids[:mated] = np.concatenate([np.arange(people), rng.integers(0, people, mated - people)])
    probe_ids = np.concatenate([np.arange(people), rng.integers(0, people, max(0, probes - people))])[:probes]
    centres = rng.standard_normal((people, dim), dtype=np.float32)
    vectors = rng.standard_normal((gallery, dim), dtype=np.float32)
    vectors[:mated] += np.float32(signal) * centres[gallery_ids[:mated]]
    searched = np.float32(signal) * centres[probe_ids] + rng.standard_normal((probes, dim), dtype=np.float32)
    for rows in (vectors, searched):
        for start in range(0, len(rows), 4096):
            rows[start : start + 4096] /= np.linalg.norm(rows[start : start + 4096], axis=1, keepdims=True)
    return searched, vectors, probe_ids, gallery_ids


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Run and return the result, seconds, and the highest resident memory over the start, MiB (sampled each 5 ms)."""
    before = peak = resident_mb()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, resident_mb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        result = work()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    return result, seconds, peak - before


def bare_product(probes: Floats, gallery: Floats, probe_block: int, gallery_block: int) -> None:
    buffer = np.empty(min(probe_block, len(probes)) * min(gallery_block, len(gallery)), dtype=np.float32)
    for start in range(0, len(gallery), gallery_block):
        columns = gallery[start : start + gallery_block]
        for first in range(0, len(probes), probe_block):
            rows = probes[first : first + probe_block]
            shape = (len(rows), len(columns))
            np.matmul(rows, columns.T, out=buffer[: shape[0] * shape[1]].reshape(shape))


def dense_ranks(probes: Floats, gallery: Floats, probe_ids: Ids, gallery_ids: Ids) -> list[int]:
    """Rank of the best mate from the whole score matrix and the argsort of all its rows."""
    scores = -(probes @ gallery.T)
    order = np.empty(scores.shape, dtype=np.int64)
    for start in range(0, len(scores), 256):
        order[start : start + 256] = np.argsort(scores[start : start + 256], axis=1)
    return [1 + int(np.argmax(gallery_ids[row] == identity)) for row, identity in zip(order, probe_ids, strict=True)]


def run_dense(arguments: argparse.Namespace) -> dict[str, Any]:
    needed = arguments.probes * arguments.gallery * 16 / 2**30 + 2
    available = next(
        int(line.split()[1]) / 2**20
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemAvailable")
    )
    if available < needed:
        sys.exit(f"The dense way needs {needed:.1f} GiB; {available:.1f} GiB are free. Lower --probes or --gallery.")
    data = plant(arguments.probes, arguments.gallery, arguments.dim, arguments.signal)
    ranks, seconds, extra = measured(lambda: dense_ranks(*data))
    return {"seconds": seconds, "extra_mb": extra, "rates": [rank_k_rate(ranks, k) for k in RANKS]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, default=TINYFACE["probes"])
    parser.add_argument("--gallery", type=int, default=TINYFACE["gallery"])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument(
        "--signal", type=float, default=0.45, help="how strongly mates are alike (default: %(default)s)"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dense", action="store_true", help="also the dense way (needs 16 bytes a score)")
    parser.add_argument("--dense-only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.dense_only:
        print(json.dumps(run_dense(arguments)))
        return

    data = plant(arguments.probes, arguments.gallery, arguments.dim, arguments.signal)
    probes, gallery = data[:2]
    bare_product(probes[:64], gallery[:4096], 64, 4096)  # threads and pages warm
    print(f"{arguments.probes} probes x {arguments.gallery} gallery templates, {arguments.dim}-d, float32")
    print(
        f"{os.cpu_count()} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}, load "
        f"{os.getloadavg()[0]:.2f}, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    shapes = ((512, 8192), (arguments.probes, 4096))  # search's own blocks; the fastest found here
    bare: dict[tuple[int, int], list[float]] = {shape: [] for shape in shapes}
    found: list[float] = []
    extra = 0.0
    for _ in range(arguments.repeats):
        for shape in shapes:
            bare[shape].append(measured(partial(bare_product, probes, gallery, *shape))[1])
        matches, seconds, grown = measured(lambda: search(*data))
        found.append(seconds)
        extra = max(extra, grown)
    ranks = [match.mated_ranks[0] for match in matches]
    rates = [rank_k_rate(ranks, k) for k in RANKS]
    for shape, times in bare.items():
        print(f"bare product, blocks {shape[0]} x {shape[1]}: median {statistics.median(times):.2f} s {_list(times)}")
    print(f"search: median {statistics.median(found):.2f} s {_list(found)}, extra {extra:.0f} MiB")
    for shape, times in bare.items():
        ratio = statistics.median(found) / statistics.median(times)
        print(f"search / bare product in blocks {shape[0]} x {shape[1]}: {ratio:.2f}")
    print("rank-" + "/".join(map(str, RANKS)) + ": " + " / ".join(f"{rate:.6f}" for rate in rates))
    if arguments.dense:
        options = [f"--{name}={getattr(arguments, name)}" for name in ("probes", "gallery", "dim", "signal")]
        command = [sys.executable, __file__, *options, "--dense-only"]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        dense = json.loads(answer.stdout)
        print(f"dense: {dense['seconds']:.1f} s, extra {dense['extra_mb']:.0f} MiB")
        print(f"dense / search: {dense['seconds'] / statistics.median(found):.1f} times the time")
        print(f"rates equal: {dense['rates'] == rates}")


def _list(times: list[float]) -> str:
    return "(" + ", ".join(f"{seconds:.2f}" for seconds in times) + ")"


if __name__ == "__main__":
    main()
