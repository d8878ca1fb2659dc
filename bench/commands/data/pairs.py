"""``bench data pairs``: pack a folder of photographs into one training file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.faces.landmarks.mediapipe import Landmarker


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "pairs",
        help="pack a folder of photographs into one training file",
        description="Find the face of every photograph, keep the frontal ones, and pack them with their landmarks into "
        "one file; training turns, shrinks and crops them on the fly. 80 of 100 people train, 20 are held out.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="photographs; each is one person, unless --person folder is given"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write (.npz)")
    parser.add_argument(
        "--person",
        choices=("file", "folder"),
        default="file",
        help="what identifies a person: the file (default) or its folder",
    )
    parser.add_argument("--quality", type=int, default=90, metavar="Q", help="of the JPEGs (default: 90)")
    parser.add_argument(
        "--margin",
        type=int,
        metavar="N",
        help="for photographs that show more than a face: bring each to the frame of hallucinated faces, with N pixels "
        "of its surroundings (default: photographs are aligned crops, taken whole)",
    )
    parser.add_argument(
        "--heatmaps",
        default="auto",
        metavar="WHOSE",
        help="source of the 68 points of heatmaps: engine, dlib, or the archive 2DFAN4 of FAN, as in the paper "
        "(default: FAN if torch's cache has it, else engine)",
    )
    parser.add_argument(
        "--unsafe-torchscript",
        choices=("no", "yes-i-trust-this-file"),
        default="no",
        metavar="TRUST",
        help="yes-i-trust-this-file: run the archive that --heatmaps names; it is a program",
    )
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench import progress
    from bench.faces.landmarks.mediapipe import FaceLandmarker
    from bench.faces.pairs.pack import pack, photographs

    files = photographs(args.folder)
    outline = _outline(args.heatmaps, trusted=args.unsafe_torchscript != "no")
    with progress.stage("pack faces", len(files)) as advance:
        packed = pack(
            files,
            args.out,
            FaceLandmarker(),
            person=(lambda path: path.parent.name) if args.person == "folder" else (lambda path: path.name),
            quality=args.quality,
            margin=args.margin,
            outline=outline,
            advance=advance,
        )
    print(f"{args.out}: {packed.train:,} faces to train, {packed.test:,} left out, {packed.size / 2**20:.1f} MiB")
    print(f"  68 points for heatmaps: {outline[0] if outline else 'engine'}")
    for reason, count in sorted(packed.rejected.items(), key=lambda item: -item[1]):
        print(f"  rejected: {count:,} {reason}")
    return 0


def _outline(source: str, *, trusted: bool) -> tuple[str, Landmarker] | None:
    """The landmark detector of the 68 points; None takes them from the 478 points of the engine.

    Raises:
        MissingError, DataError: the named weights are missing or damaged.
    """
    from bench.faces.landmarks.dlib_fan import DlibLandmarker, FanLandmarker, fan_weights

    default = fan_weights() if source == "auto" else None
    if source == "dlib":
        return "dlib", DlibLandmarker()
    if source in ("auto", "engine") and default is None:
        return None
    return "fan", FanLandmarker(default or Path(source), trusted=trusted)
