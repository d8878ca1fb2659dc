"""Embeddings per second: each recogniser in batches and one by one, against the ways they are used elsewhere.

Run it as ``python benchmarks/embedding.py``; ratios come from one run, in which the ways take turns. Chips are
photographs from ``$BENCH_DATA/lfw`` where that is set, drawn noise elsewhere; the speed does not depend on which. It
prints one row a way and the agreement of their embeddings, and ends with status 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bench.devices import cpu_threads
from bench.images import read_image, resize
from bench.interfaces import RECOGNISERS, ByteImages, FloatImages, Recogniser
from bench.registry import load_plugins

Embed = Callable[[ByteImages], FloatImages]

LEAST_RATIO = 2.0  # dlib in batches against dlib's own compute_face_descriptor
MOST_DIFFERENCE = 1e-3  # of an embedding value between two ways of computing it


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=int, default=64, help="chips a round (default: 64)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which the median counts (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="processor threads (default: 2)")
    arguments = parser.parse_args()
    load_plugins()
    print(
        f"{arguments.chips} chips, median of {arguments.rounds} rounds, {arguments.threads} threads of {cpu_threads(0)}"
    )
    missed = False
    for name, others in (
        ("sface", {"file as it is, one by one": _sface_as_it_is}),
        ("dlib", {"dlib itself": _dlib_itself}),
    ):
        why_not = RECOGNISERS[name].missing()
        if why_not:
            print(f"\n{name}: not measured. {why_not}")
            continue
        missed |= _measure(name, others, arguments.chips, arguments.rounds, arguments.threads)
    return int(missed)


def _measure(name: str, others: Mapping[str, Callable[[int], Embed]], count: int, rounds: int, threads: int) -> bool:
    recogniser = RECOGNISERS[name].create({"threads": threads})
    chips = _chips(count, recogniser)
    ways: dict[str, Embed] = {
        "batched (32)": lambda batch: _in_batches(recogniser, batch, 32),
        "one by one": lambda batch: _in_batches(recogniser, batch, 1),
    } | {label: make(threads) for label, make in others.items()}
    embeddings = {label: embed(chips[:4]) for label, embed in ways.items()}  # warm up, and compare
    seconds: dict[str, list[float]] = {label: [] for label in ways}
    for _ in range(rounds):
        for label, embed in ways.items():
            start = time.perf_counter()
            embed(chips)
            seconds[label].append(time.perf_counter() - start)
    rates = {label: count / statistics.median(times) for label, times in seconds.items()}
    print(f"\n{name:28} chips/s   ratio   greatest difference")
    for label, rate in rates.items():
        difference = float(np.abs(embeddings[label] - embeddings["batched (32)"]).max())
        print(f"  {label:26} {rate:7.1f} {rates['batched (32)'] / rate:7.2f}   {difference:.1e}")
        if difference > MOST_DIFFERENCE:
            print(f"    MISSED: embeddings differ by more than {MOST_DIFFERENCE:g}")
            return True
    if name == "dlib" and rates["batched (32)"] < LEAST_RATIO * rates["dlib itself"]:
        print(f"    MISSED: less than {LEAST_RATIO:g} times dlib itself")
        return True
    return False


def _in_batches(recogniser: Recogniser, chips: ByteImages, size: int) -> FloatImages:
    return np.concatenate([recogniser.embed(chips[i : i + size]) for i in range(0, len(chips), size)])


def _chips(count: int, recogniser: Recogniser) -> ByteImages:
    height, width = recogniser.face.height, recogniser.face.width
    root = os.environ.get("BENCH_DATA")
    photographs = sorted(Path(root, "lfw").glob("*/*_0001.jpg"))[:count] if root else []
    if len(photographs) < count:
        return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)
    return np.stack([resize(read_image(path)[50:200, 50:200], height, width) for path in photographs])


def _dlib_itself(threads: int) -> Embed:
    del threads  # dlib computes with one
    return RECOGNISERS["dlib"].create({"engine": "dlib"}).embed


def _sface_as_it_is(threads: int) -> Embed:
    """The published file with nothing changed but its unread inputs dropped, which onnxruntime insists on."""
    import onnx
    import onnxruntime

    from bench.recognisers.sface import MODEL

    model = onnx.load(str(MODEL))
    image = model.graph.input[0]
    del model.graph.input[:]
    model.graph.input.extend([image])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def embed(chips: ByteImages) -> FloatImages:
        planes = chips.transpose(0, 3, 1, 2).astype(np.float32)
        return np.concatenate([session.run(None, {image.name: planes[i : i + 1]})[0] for i in range(len(planes))])

    return embed


if __name__ == "__main__":
    sys.exit(main())
