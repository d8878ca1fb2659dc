"""What hallucinators cost: parameters, milliseconds a face and memory, beside Table IV of the paper.

    python benchmarks/efficiency.py [--threads 1] [--rounds 5] [--batches 1,32] [--lr 16] [--rows vividgan-flow,bicubic]

Networks hold random weights: their speed does not depend on them. The parts of a pass (coarse network; touching-up and
fine integration; the face engine's landmarks, on drawn people, because random weights give no face) take turns within
a round, and the median of the rounds counts. Each row runs in a process of its own, so that its memory is its own.
Hallucinators on processors pass faces one by one: batch 1 is what they take; batch 32 is what the networks could.
``bench run --protocol efficiency`` measures any hallucinator or chain as a whole, with its own weights.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from bench.evaluation.efficiency.memory import PeakMemory, resident_mib

Part = Callable[[], object]

PAPER = {"VividGAN, coarse network": (103_473, 13.12), "VividGAN": (242_089, 19.25), "TANN": (196_231, 15.60)}
"""Table IV: "KB" and milliseconds a face (CelebA, the authors' GPU); TANN's size is printed there as 196.231."""
ROWS = ("vividgan compact", "vividgan paper", "vividgan-flow", "bicubic")


class Row(NamedTuple):
    """One hallucinator, measured.

    Attributes:
        millions: parameters by part, millions.
        milliseconds: of a face, by batch and part.
        standing: resident memory before the first pass, with networks and inputs, MiB.
        peak: the highest while passes of each batch ran, MiB.
        missing: why a part was not measured; empty where all were.
    """

    millions: Mapping[str, float]
    milliseconds: Mapping[int, Mapping[str, float]]
    standing: float
    peak: Mapping[int, float]
    missing: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="processor threads (default: 1)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (default: 5)")
    parser.add_argument("--batches", default="1,32", help="faces a pass, by commas (default: 1,32)")
    parser.add_argument("--lr", type=int, choices=(16, 32), default=16, help="side of the LR faces (default: 16)")
    parser.add_argument("--rows", default=",".join(ROWS), help=f"by commas (default: {','.join(ROWS)})")
    arguments = parser.parse_args()
    batches = [int(text) for text in arguments.batches.split(",") if text.isdigit() and int(text)]
    rows = arguments.rows.split(",")
    if not batches or min(arguments.threads, arguments.rounds) < 1 or not set(rows) <= set(ROWS):
        parser.error(f"batches, threads and rounds are 1 or more, and rows of {', '.join(ROWS)}")
    print(
        f"{arguments.lr} x {arguments.lr} to 128 x 128, {arguments.threads} threads of {os.cpu_count()}, median of "
        f"{arguments.rounds} rounds, random weights (speed does not depend on them); float32"
    )
    for name, (kilobytes, milliseconds) in PAPER.items():
        millions = kilobytes * 1024 / 4 / 1e6
        print(
            f"  paper, {name:<26} {kilobytes:>7,} KB (read as float32: {millions:5.1f} M)  {milliseconds:.2f} ms (GPU)"
        )
    context = multiprocessing.get_context("spawn")
    for name in rows:
        given, taken = context.Pipe(duplex=False)
        process = context.Process(
            target=_measure_apart, args=(taken, name, arguments.lr, batches, arguments.rounds, arguments.threads)
        )
        process.start()
        taken.close()
        try:
            row: Row = given.recv()
        except EOFError:
            print(f"\n{name}: its process ended without a figure")
            return 1
        finally:
            process.join()
        _show(name, row)
    return 0


def _show(name: str, row: Row) -> None:
    sizes = ", ".join(f"{part} {millions:.2f}" for part, millions in row.millions.items())
    print(f"\n{name}: {sum(row.millions.values()):.2f} M parameters{f' ({sizes})' if sizes else ''}")
    for batch, parts in row.milliseconds.items():
        whole = sum(parts.values())
        shares = ", ".join(f"{part} {value:.2f}" for part, value in parts.items())
        print(
            f"  batch {batch:>3}: {whole:8.2f} ms a face ({shares}); memory {row.peak[batch]:6.0f} MiB at most, "
            f"{row.peak[batch] - row.standing:.0f} above what stood loaded"
        )
    if row.missing:
        print(f"  {row.missing}")


def _measure_apart(pipe, name: str, lr: int, batches: list[int], rounds: int, threads: int) -> None:
    """In a process of its own: measure a row and send it."""
    import torch

    torch.set_num_threads(threads)
    millions, make, missing = _bicubic() if name == "bicubic" else _network(name, lr, threads)
    made = {batch: make(batch, lr) for batch in batches}
    standing = resident_mib()
    milliseconds, peak = {}, {}
    for batch, parts in made.items():
        with PeakMemory() as peak_memory:
            for part in parts.values():
                part()
            seconds: dict[str, list[float]] = {part: [] for part in parts}
            for _ in range(rounds):
                for part, work in parts.items():
                    start = time.perf_counter()
                    work()
                    seconds[part].append(time.perf_counter() - start)
        milliseconds[batch] = {part: statistics.median(values) * 1000 / batch for part, values in seconds.items()}
        peak[batch] = peak_memory.peak
    pipe.send(Row(millions, milliseconds, standing, peak, missing))


def _bicubic() -> tuple[dict[str, float], Callable[[int, int], dict[str, Part]], str]:
    from bench.interfaces import HALLUCINATORS
    from bench.registry import load_plugins

    load_plugins()
    bicubic = HALLUCINATORS["bicubic"].create()

    def make(batch: int, lr: int) -> dict[str, Part]:
        faces = np.random.default_rng(0).random((batch, 3, lr, lr), np.float32)
        return {"all": lambda: bicubic.hallucinate(faces)}

    return {}, make, ""


def _network(name: str, lr: int, threads: int) -> tuple[dict[str, float], Callable[[int, int], dict[str, Part]], str]:
    import torch

    from bench.faces.landmarks.mediapipe import FaceLandmarker
    from bench.faces.people.look import Look
    from bench.faces.people.model import People
    from hallucinators.vividgan.network.components import template_centres
    from hallucinators.vividgan.network.loading import build
    from hallucinators.vividgan.network.weight_file import Facts

    network, _, preset = name.partition(" ")
    flow = network == "vividgan-flow"
    torch.manual_seed(0)
    model = build(Facts(network, 0 if flow else lr, preset or "compact")).eval()
    millions = {
        part: sum(parameter.numel() for parameter in module.parameters()) / 1e6
        for part, module in (("coarse", model.coarse), ("touch-up", model.touchup), ("fine", model.fine))
    }
    engine, missing = _engine(FaceLandmarker, threads)

    def make(batch: int, side: int) -> dict[str, Part]:
        faces = torch.rand(batch, 3, side, side)
        people = People()([Look(identity=person, size=128) for person in range(batch)])
        coarse = torch.from_numpy(np.stack(people).transpose(0, 3, 1, 2).astype(np.float32) / 255)
        centres = template_centres()[None].repeat(batch, 1, 1)

        def inferred(work: Part) -> Part:
            def run() -> object:
                with torch.inference_mode():
                    return work()

            return run

        parts = {
            "coarse": inferred(lambda: model.preview(faces)),
            "fine": inferred(lambda: model.refine(coarse, centres=centres)),
        }
        if engine is None:
            return parts
        return parts | {"landmarks": lambda: engine.find(people)}

    return millions, make, missing


def _engine(make, threads: int):
    """The face engine; or None and why it is not here."""
    from bench.errors import MissingError

    try:
        return make(threads=threads), ""
    except MissingError as error:
        return None, f"without landmarks: {error}"


if __name__ == "__main__":
    sys.exit(main())
