"""What hallucinators are worth on people left out of training, by the paper's recipe: likeness, and recognition.

    BENCH_DATA=DIR python benchmarks/hallucination.py PACK.npz [--hallucinators none,bicubic] [--lr 16] [--faces 400]
        [--jitter paper|small] [--recogniser sface] [--lfw] [--sealed] [--out FILE.json]

PACK is a file of ``bench data pairs``; one photograph of each group of its tuning part is measured (of a pack without
groups: each that was left out). ``--sealed`` takes the sealed part and records the access (date, command, digest of the
pack); list it in docs/evidence.md. Probes are the views at 22, 40, 55 and 75 degrees to both sides, moved and shrunk;
the gallery is the frontal photographs. ``none`` hands the LR
image itself to the aligner. With ``--lfw``, 800 people of ``DIR/lfw``, a second photograph of each as the probe.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from hallucination_figures import Section, section
from numpy.typing import NDArray

from bench.align.chips import chip_by_points
from bench.align.mtcnn import Mtcnn
from bench.errors import BenchError, DataError, UsageError
from bench.evaluation.heldout import (
    POSE_KEPT,
    HeldOutEvaluation,
    Probe,
    as_points,
    embed_unit,
    frontal_probe,
    pair_probes,
)
from bench.evaluation.sealed import LIST, access_row, measured_faces, record_access
from bench.faces.landmarks.points import five_points
from bench.faces.pairs.pack import SIDE, Pack
from bench.faces.pairs.pairs import Jitter, Pair, make_pairs, turned_five
from bench.images import ByteImages, FloatImages, read_image, resize
from bench.interfaces import RECOGNISERS, Recogniser
from bench.io.file_digests import file_digest
from bench.media.similarity import resized_points
from bench.pipeline.build import build
from bench.pipeline.chain import Chain
from bench.progress import stage
from bench.provenance import environment
from bench.registry import Spec, load_plugins
from bench.types import FaceTemplate, Points

JITTERS = {"paper": Jitter(), "small": Jitter(rotation_deg=5.0, shift=0.03, scale=(0.9, 1.0))}
FACES_AT_ONCE = 8
LFW_PEOPLE = 800


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--hallucinators", default="none,bicubic", help="chains, by commas; none is always measured")
    parser.add_argument("--lr", type=int, default=16, help="side of the LR images")
    parser.add_argument("--faces", type=int, default=400, help="people, spread evenly over those left out")
    parser.add_argument("--jitter", choices=JITTERS, default="paper")
    parser.add_argument("--recogniser", default="sface")
    parser.add_argument("--lfw", action="store_true", help="measure on Labeled Faces in the Wild too")
    parser.add_argument("--sealed", action="store_true", help="measure on the sealed part; needs --out, is recorded")
    parser.add_argument("--pose-kept", default=",".join(POSE_KEPT), help="hallucinators that do not frontalise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON file; points found in lfw are kept beside it")
    arguments = parser.parse_args()
    try:
        measure(arguments)
    except BenchError as error:
        sys.exit(f"error: {error}")


def measure(arguments: argparse.Namespace) -> None:
    import torch

    if arguments.sealed and arguments.out is None:
        raise UsageError("--sealed needs --out: the access is recorded in that file.")
    torch.set_num_threads(arguments.threads)
    load_plugins()
    defaults = {"device": arguments.device, "threads": arguments.threads}
    names = list(dict.fromkeys(["none", *split_chains(arguments.hallucinators)]))
    chains = {name: Chain.parse(name, defaults) for name in names}
    built = build(RECOGNISERS, Spec.parse(arguments.recogniser), defaults)
    packed = Pack(arguments.pack)
    digest = file_digest(arguments.pack)
    part, pool = measured_faces(packed, sealed=arguments.sealed)
    chosen = spread(pool, arguments.faces)
    result: Section = {
        "pack": {"name": arguments.pack.name, "sha256": digest, "split": packed.split()},
        "people": {"part": part, "left_out": len(pool), "measured": len(chosen)},
        "lr": arguments.lr,
        "jitter": {"name": arguments.jitter} | asdict(JITTERS[arguments.jitter]),
        "seed": arguments.seed,
        "recogniser": {"name": arguments.recogniser, "fingerprint": built.fingerprint},
        "chains": {name: chain.fingerprint for name, chain in chains.items()},
        "environment": environment(device=arguments.device, threads=arguments.threads),
    }
    if arguments.sealed:
        result["sealed_access"] = record_access(sys.argv, digest)
    write(result, arguments.out)  # a place that cannot be written is told before the work
    if arguments.sealed:
        print(f"Sealed part: add this access to {LIST}:\n{access_row(result['sealed_access'])}")
    print(f"{len(chosen)} of the {len(pool)} photographs ({part}), LR {arguments.lr}, jitter {arguments.jitter}")
    print(f"recogniser {arguments.recogniser}; in brackets 95 % intervals by resampling people", flush=True)
    result |= left_out(packed, chosen, chains, built.component, arguments)
    write(result, arguments.out)
    if arguments.lfw:
        result["lfw"] = lfw(packed, chosen, chains, built.component, arguments)
        write(result, arguments.out)


def left_out(
    packed: Pack, chosen: Sequence[int], chains: Mapping[str, Chain], recogniser: Recogniser, arguments: Any
) -> Section:
    """Chains, and what perfect steps would give, on the people left out."""
    kept = arguments.pose_kept.split(",")
    still, sharp = {"none": chains["none"]}, {"bicubic": Chain.parse("bicubic")}
    evaluations = {
        "chains": HeldOutEvaluation(chains, recogniser, pose_kept=kept),
        "frontal photograph": HeldOutEvaluation(still, recogniser),
        f"frontal photograph at {arguments.lr} x {arguments.lr}": HeldOutEvaluation(sharp, recogniser),
        "turned view, full resolution, upright": HeldOutEvaluation(still, recogniser),
    }
    gallery = []
    main_evaluation, front, front_lr, turned = evaluations.values()
    with stage("people", len(chosen)) as advance:
        for start in range(0, len(chosen), FACES_AT_ONCE):
            some = chosen[start : start + FACES_AT_ONCE]
            pairs = [paired(packed, index, arguments) for index in some]
            people = list(enumerate(pairs, start))
            main_evaluation.add([probe for k, own in people for probe in pair_probes(own, k)])
            front.add([frontal_probe(own[0], k) for k, own in people])
            front_lr.add([frontal_probe(own[0], k, arguments.lr) for k, own in people])
            turned.add(
                [probe for (k, own), i in zip(people, some, strict=True) for probe in views_of(packed, i, own, k)]
            )
            gallery.append(gallery_rows(recogniser, [(own[0].frontal, as_points(own[0].five)) for own in pairs]))
            advance(len(some))
    rows = np.concatenate(gallery)
    found = {name: section(name, evaluation, rows, arguments.seed) for name, evaluation in evaluations.items()}
    first = found.pop("chains")
    return {"gallery_failed": int(np.isnan(rows).any(1).sum()), "left_out": first, "references": found}


def paired(packed: Pack, index: int, arguments: Any) -> list[Pair]:
    jitter = JITTERS[arguments.jitter]
    return make_pairs(packed, index, lr=arguments.lr, jitter=jitter, seed=arguments.seed, device=arguments.device)


def views_of(packed: Pack, index: int, pairs: Sequence[Pair], identity: int) -> Iterator[Probe]:
    """The turned faces before they were moved and shrunk: what perfect super-resolution alone would give."""
    landmarks = packed.face(index)[1]
    for pair in pairs:
        five = as_points(turned_five(landmarks, pair.yaw_deg))
        yield Probe(identity, pair.view, five, pair.frontal, abs(pair.yaw_deg))


def lfw(
    packed: Pack, chosen: Sequence[int], chains: Mapping[str, Chain], recogniser: Recogniser, arguments: Any
) -> Section:
    """Real second photographs, near-frontal: the probe's chip shrunk, in the recogniser's crop and in the pack's."""
    folder = Path(os.environ.get("BENCH_DATA", "/nowhere")) / "lfw"
    people = sorted(person for person in folder.iterdir() if person.is_dir()) if folder.is_dir() else []
    photographs = [sorted(person.glob("*.jpg"))[:2] for person in people]
    files = [path for pair in [pair for pair in photographs if len(pair) == 2][:LFW_PEOPLE] for path in pair]
    if len(files) < 4:
        raise DataError(f"{folder} holds no two people with two photographs each; BENCH_DATA is the folder with lfw.")
    found = lfw_points(files, arguments.out, arguments.device)
    fives = [as_points(five_points(packed.face(index)[1].points)) for index in chosen]
    stands = tuple((float(x), float(y)) for x, y in np.mean(fives, axis=0))
    square = FaceTemplate(SIDE, SIDE, stands)
    crops = {"recogniser": recogniser.face, "pack": square}
    kept = arguments.pose_kept.split(",")
    evaluations = {crop: HeldOutEvaluation(chains, recogniser, pose_kept=kept) for crop in crops}
    full = HeldOutEvaluation({"none": chains["none"]}, recogniser)
    gallery = []
    with stage("lfw", len(files) // 2) as advance:
        for start in range(0, len(files), 2 * FACES_AT_ONCE):
            some = range(start, min(start + 2 * FACES_AT_ONCE, len(files)))
            images = [read_image(files[k]) for k in some]
            enrolled, searched = (list(zip(images, (found[k] for k in some), strict=True))[k::2] for k in (0, 1))
            gallery.append(gallery_rows(recogniser, enrolled))
            for crop, face in crops.items():
                cut = [chip_by_points(image, points, face, without="")[0] for image, points in searched]
                whole = [Probe(start // 2 + k, chip, face.points) for k, chip in enumerate(cut)]
                evaluations[crop].add([shrunk(probe, arguments.lr) for probe in whole])
                if crop == "recogniser":
                    full.add(whole)
            advance(len(some) // 2)
    rows = np.concatenate(gallery)
    out: Section = {"people": len(rows), "face_not_found": sum(points is None for points in found)}
    print(f"\nlfw: {out['face_not_found']} of {len(files)} photographs without a face found, taken whole")
    out["full resolution"] = section("lfw, probe chip at full resolution", full, rows, arguments.seed)
    for crop, evaluation in evaluations.items():
        title = f"lfw, probe shrunk to {arguments.lr} x {arguments.lr} in the crop of the {crop}"
        out[f"crop of the {crop}"] = section(title, evaluation, rows, arguments.seed)
    return out


def lfw_points(files: Sequence[Path], out: Path | None, device: str) -> list[Points | None]:
    """MTCNN's five points of each photograph, kept beside the result."""
    names = np.array([path.name for path in files])
    engine = Mtcnn(device=device)
    made_by = "+".join([engine.version, *(weights.sha256 for weights in engine.weights)])
    cache = out.with_name("lfw-mtcnn.npz") if out else None
    if cache and cache.is_file():
        with np.load(cache, allow_pickle=False) as archive:
            if str(archive["made_by"]) == made_by and np.array_equal(archive["names"], names):
                return [None if np.isnan(five).any() else as_points(five) for five in archive["points"]]
    points: list[Points | None] = []
    with stage("points", len(files)) as advance:
        for path in files:
            points += engine.find([read_image(path)])
            advance(1)
    if cache:
        table = np.array([np.full((5, 2), np.nan) if five is None else five for five in points])
        np.savez_compressed(cache, names=names, points=table, made_by=np.array(made_by))
    return points


def shrunk(probe: Probe, lr: int) -> Probe:
    image = resize(probe.image, lr, lr)
    return Probe(
        probe.identity, image, resized_points(probe.five, probe.image.shape, image.shape), probe.truth, probe.yaw_deg
    )


def gallery_rows(recogniser: Recogniser, people: Sequence[tuple[ByteImages, Points | None]]) -> FloatImages:
    """Embeddings of photographs, chips by their points; the whole image where there are none."""
    chips = [chip_by_points(image, points, recogniser.face, without="")[0] for image, points in people]
    return embed_unit(recogniser, np.stack(chips))


def spread(indices: NDArray[np.int64], count: int) -> list[int]:
    """Faces evenly over those given, in order; all where there are fewer."""
    chosen = min(count, len(indices))
    if chosen < 2:
        raise UsageError(
            f"{chosen} faces are no gallery: {len(indices)} are there, {count} were requested; at least 2 are needed."
        )
    return [int(indices[k * len(indices) // chosen]) for k in range(chosen)]


def split_chains(text: str) -> list[str]:
    """Names of chains; a part like ``key=value`` belongs to the chain before it."""
    names: list[str] = []
    for part in text.split(","):
        if names and "=" in part and ":" not in part:
            names[-1] += f",{part}"
        else:
            names.append(part.strip())
    return names


def write(result: Section, out: Path | None) -> None:
    if out is None:
        return
    try:
        out.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BenchError(f"Cannot write {out}: {error.strerror or error}.") from error


if __name__ == "__main__":
    main()
