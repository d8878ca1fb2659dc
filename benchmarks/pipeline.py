"""Where the time of a run goes: decode, align, embed, search; and how fast a finished run is recognised.

    BENCH_DATA=DIR python benchmarks/pipeline.py [--images 6000] [--recogniser sface] [--align none]

Takes TinyFace images from ``BENCH_DATA`` where there are any, else drawn faces of 16 to 36 pixels.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.checks.toy_faces import draw_face
from bench.engine.local import SHARD_SIZE, LocalEngine
from bench.errors import BenchError
from bench.images import encode_png, resize
from bench.pipeline.embedder import embedder_for
from bench.pipeline.plan import Embedded, EmbedPlan, ImageRequest, join_embedded
from bench.pipeline.stages import EmbedStage
from bench.registry import Spec
from bench.types import Media
from protocols.tinyface.protocol import TinyFace


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--recogniser", default="sface")
    parser.add_argument("--align", default="none")
    parser.add_argument("--hallucinator", default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        media, root = find_media(Path(folder), arguments.images)
        plan = EmbedPlan(arguments.hallucinator, Spec.parse(arguments.align), Spec.parse(arguments.recogniser))
        embed_all(plan, media[:64])  # warm-up: builds the network
        start = time.perf_counter()
        done = embed_all(plan, media)
        total = time.perf_counter() - start
        print(f"{len(media)} images, {plan.recogniser}, alignment {plan.align}, {os.cpu_count()} cores")
        for stage, seconds in done.seconds.items():
            print(
                f"  {stage:<12} {seconds:7.2f} s  {seconds / total:6.1%}  {done.counts[stage] / seconds:8.0f} images/s"
            )
        rest = total - sum(done.seconds.values())
        print(f"  {'other':<12} {rest:7.2f} s  {rest / total:6.1%}")
        print(f"  {'total':<12} {total:7.2f} s  {'':6}  {len(media) / total:8.0f} images/s")
        embedder_for.cache_clear()
        if root:
            rerun(root, Path(folder))


def embed_all(plan: EmbedPlan, media: list[Media]) -> Embedded:
    """Embed images by the local engine, without a cache."""
    parts = LocalEngine().map(EmbedStage(plan, None), [ImageRequest(m) for m in media], shard_size=SHARD_SIZE)
    return join_embedded(list(parts), embedder_for(plan).recogniser.component.embedding_size)


def find_media(folder: Path, count: int) -> tuple[list[Media], Path | None]:
    """TinyFace media under BENCH_DATA, with their root; drawn ones, without, where there are none."""
    base = Path(os.environ.get("BENCH_DATA", "/nowhere"))
    for candidate in [base, *(sorted(base.iterdir()) if base.is_dir() else [])]:
        try:
            root = TinyFace().locate(candidate)
        except BenchError:
            continue
        data = TinyFace().read(root)
        return list((*data.probes, *data.gallery, *data.distractors))[:count], root
    media = []
    for i in range(count):
        path = folder / f"{i}.png"
        path.write_bytes(encode_png(resize(draw_face(i, 0, 48), 16 + i % 21, 16 + i % 17)))
        media.append(Media(path.name, path, "probe", str(i), path.name))
    return media, None


def rerun(root: Path, folder: Path) -> None:
    """Time a finished run asked again, in a process of its own, best of three."""
    command = [sys.executable, "-m", "bench", "run", "--protocol", "tinyface", "--data-root", str(root)]
    command += ["--out", str(folder / "run"), "--cache", str(folder / "cache")]
    subprocess.run(command, check=True, capture_output=True)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    print(f"  a finished run asked again: {min(times):.2f} s")
    start = time.perf_counter()
    subprocess.run([*command[:-3], str(folder / "again"), *command[-2:]], check=True, capture_output=True)
    print(f"  the same run into a new folder, all embeddings cached: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
