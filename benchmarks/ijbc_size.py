"""Time fusion, search and figures at the size of IJB-C and of TinyFace, and the reading of IJB-C's pairs.

python benchmarks/ijbc_size.py [--share F] [--dim D] [--only ijbc|tinyface|pairs]

Random embeddings with planted people stand in for networks: 469,375 images in 3,531 gallery and 19,593 probe templates
through fusion by media, the galleries G1, G2 and joined, and the figures with their intervals; TinyFace's 3,728 probes
and 157,871 gallery images likewise; 15,658,489 pairs are written and read as the file of release C. Each part runs in a
process of its own. Wall and processor seconds leave out the drawing; the peak is of the whole process. Set
OMP_NUM_THREADS to the number of threads wanted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.identification.figures import figures_of
from bench.evaluation.identification.search import identify, join_gallery
from bench.pipeline.templates import fuse
from bench.results import ProbeRow
from bench.types import OK, Media, Role

IJBC = {"images": 469_375, "G1": 1772, "G2": 1759, "probes": 19_593, "gallery images": 21_294}
TINYFACE = {"probes": 3728, "mated": 4443, "distractors": 153_428, "identities": 2569}
PAIRS = {"pairs": 15_658_489, "genuine": 19_557}
Floats = NDArray[np.float32]


class Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.stages: dict[str, dict[str, float]] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Time a stage by the wall and by the processor."""
        wall, used = time.perf_counter(), time.process_time()
        yield
        self.stages[stage] = {
            "wall_s": round(time.perf_counter() - wall, 2),
            "cpu_s": round(time.process_time() - used, 2),
            "peak_mib": round(peak_mib()),
        }


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def shared_out(total: int, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How many of ``total`` each part has, at least one: a few have many, as probe templates of videos do."""
    weights = rng.pareto(1.5, parts) + 0.2
    counts = np.floor(weights / weights.sum() * (total - parts)).astype(np.int64) + 1
    counts[: total - int(counts.sum())] += 1
    return counts


def drawn(role: Role, owners: list[str], images: int, dim: int, centres: Floats, rng: np.random.Generator) -> Any:
    """Media of templates and their embeddings: an image is its person's centre and noise."""
    media: list[Media] = []
    people: list[int] = []
    for template, (owner, count) in enumerate(zip(owners, shared_out(images, len(owners), rng).tolist(), strict=True)):
        for image in range(count):
            key = f"{role}/{template}/{image}.jpg"
            media.append(Media(key, Path("crops"), role, owner, f"{role} {template}", medium=f"{image // 8}"))
        people += [int(owner)] * count
    vectors = rng.standard_normal((len(media), dim), dtype=np.float32)
    for start in range(0, len(media), 4096):
        vectors[start : start + 4096] += np.float32(0.2) * centres[people[start : start + 4096]]
    return media, vectors


def ijbc(share: float, dim: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    size = {name: max(40, round(count * share)) for name, count in IJBC.items()}
    subjects = size["G1"] + size["G2"]
    centres = rng.standard_normal((subjects, dim), dtype=np.float32)
    enrolled = [str(i) for i in range(subjects)]
    searched = [str(i) for i in rng.integers(0, subjects, size["probes"])]
    in_gallery = max(size["gallery images"], subjects)
    gallery, gallery_vectors = drawn("gallery", enrolled, in_gallery, dim, centres, rng)
    probes, probe_vectors = drawn("probe", searched, size["images"] - in_gallery, dim, centres, rng)
    clock = Clock()
    with clock("fuse"):
        one = fuse(gallery, gallery_vectors, [OK] * len(gallery), unit_length=True, fusion="media")
        other = fuse(probes, probe_vectors, [OK] * len(probes), unit_length=True, fusion="media")
        none = fuse([], gallery_vectors[:0], [], unit_length=True)
    rows: list[ProbeRow] = []
    names = {"G1": one.keys[: size["G1"]], "G2": one.keys[size["G1"] :], "joined": one.keys}
    for name, keys in names.items():
        with clock(f"search {name}"):
            rows += identify(other, join_gallery(one, none, keys), similarity="cosine", name=name, open_set=True)
    with clock("figures"):
        found = figures_of(
            rows, ranks=(1, 5, 10), mean_average_precision=False, seed=0, false_positive_rates=(0.01, 0.1)
        )
    told = {name: (round(f.value, 4), round(f.low or 0, 4), round(f.high or 0, 4)) for name, f in found.items()}
    return {"images": len(gallery) + len(probes), "rows": len(rows), "stages": clock.stages, "figures": told}


def tinyface(share: float, dim: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    size = {name: max(40, round(count * share)) for name, count in TINYFACE.items()}
    centres = rng.standard_normal((size["identities"], dim), dtype=np.float32)
    owners = [str(i % size["identities"]) for i in range(size["mated"])]
    gallery, gallery_vectors = drawn("gallery", owners, size["mated"], dim, centres, rng)
    searched = [str(i % size["identities"]) for i in range(size["probes"])]
    probes, probe_vectors = drawn("probe", searched, size["probes"], dim, centres, rng)
    others = rng.standard_normal((size["distractors"], dim), dtype=np.float32)
    distractors = [Media(f"d{i}", Path("d"), "distractor", None, f"d{i}") for i in range(size["distractors"])]
    clock = Clock()
    with clock("fuse"):
        fused = [
            fuse(media, vectors, [OK] * len(media), unit_length=True)
            for media, vectors in ((gallery, gallery_vectors), (probes, probe_vectors), (distractors, others))
        ]
    with clock("search"):
        rows = identify(fused[1], join_gallery(fused[0], fused[2]), similarity="euclidean")
    with clock("figures"):
        found = figures_of(rows, ranks=(1, 5, 10, 20, 50), mean_average_precision=True, seed=0)
    told = {name: round(figure.value, 4) for name, figure in found.items()}
    return {"images": len(gallery) + len(probes) + len(others), "stages": clock.stages, "figures": told}


def pairs(share: float, dim: int) -> dict[str, Any]:
    from protocols.ijbc.pairs import indices_of, people_by_pairs, read_pairs

    rng = np.random.default_rng(0)
    total, genuine = (max(100, round(count * share)) for count in PAIRS.values())
    first, second = rng.integers(1, 3532, total), rng.integers(10_000, 29_593, total)
    second[:genuine] = 10_000 + np.arange(genuine) % 19_593
    first[:genuine] = 1 + np.arange(genuine) % 3531
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ijbc_template_pair_label.txt"
        with path.open("w", encoding="utf-8") as file:
            for start in range(0, total, 100_000):
                stop = min(start + 100_000, total)
                lines = zip(first[start:stop].tolist(), second[start:stop].tolist(), range(start, stop), strict=True)
                file.write("".join(f"{a} {b} {int(place < genuine)}\n" for a, b, place in lines))
        clock = Clock()
        with clock("read"):
            found = read_pairs(path, labelled=True)
        with clock("indices"):
            at = [indices_of(column, sorted(set(column[:200_000].tolist()))) for column in (found.first, found.second)]
        with clock("people"):
            people = people_by_pairs(found)
        size = path.stat().st_size
    return {"pairs": len(found.first), "bytes": size, "stages": clock.stages, "people": len(set(people.values())),
            "placed": int((at[0] >= 0).sum())}  # fmt: skip


PARTS: dict[str, Callable[[float, int], dict[str, Any]]] = {"ijbc": ijbc, "tinyface": tinyface, "pairs": pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the full size (default: %(default)s)")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--only", choices=sorted(PARTS))
    parser.add_argument("--here", choices=sorted(PARTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(PARTS[arguments.here](arguments.share, arguments.dim)))
        return
    print(
        f"{os.cpu_count()} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}, load "
        f"{os.getloadavg()[0]:.2f}, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    for name in [arguments.only] if arguments.only else PARTS:
        command = [sys.executable, __file__, "--here", name, f"--share={arguments.share}", f"--dim={arguments.dim}"]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(answer.stdout)
        stages = found.pop("stages")
        print(f"\n{name}: " + ", ".join(f"{value:,} {key}" for key, value in found.items() if isinstance(value, int)))
        for stage, values in stages.items():
            print(f"  {stage}: {values['wall_s']} s, {values['cpu_s']} s of processor, peak {values['peak_mib']:,} MiB")
        wall, used = (sum(values[key] for values in stages.values()) for key in ("wall_s", "cpu_s"))
        print(f"  all: {wall:.1f} s, {used:.1f} s of processor")
        for figure, value in found.get("figures", {}).items():
            print(f"  {figure}: {value}")


if __name__ == "__main__":
    main()
