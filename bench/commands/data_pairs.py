"""``bench data pairs``: a folder of photographs to one training file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers
    from bench.faces.landmarks import Landmarker


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "pairs",
        help="pack a folder of photographs into one training file",
        description="Find the face of every photograph, keep the frontal ones, and pack them with their landmarks into "
        "one file; training turns, shrinks and crops them on the fly. 80 in 100 people train, 20 are left out.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="photographs, one person each unless --person says")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write (.npz)")
    parser.add_argument(
        "--person",
        choices=("file", "folder"),
        default="file",
        help="what names a person: the file (default) or its folder",
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
        help="whose 68 points heatmaps are made of: engine, dlib, or the archive 2DFAN4 of FAN, the paper's (default: "
        "FAN where torch's cache has it, else engine)",
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
    from bench.faces.landmarks import FaceLandmarker
    from bench.faces.pack import pack, photographs

    files = photographs(args.folder)
    outline = _outline(args.heatmaps, trusted=args.unsafe_torchscript != "no")
    with progress.stage("pack faces", len(files)) as advance:
        done = pack(
            files,
            args.out,
            FaceLandmarker(),
            person=(lambda path: path.parent.name) if args.person == "folder" else (lambda path: path.name),
            quality=args.quality,
            margin=args.margin,
            outline=outline,
            advance=advance,
        )
    print(f"{args.out}: {done.train:,} faces to train, {done.test:,} left out, {done.size / 2**20:.1f} MiB")
    print(f"  68 points for heatmaps: {outline[0] if outline else 'engine'}")
    for reason, count in sorted(done.rejected.items(), key=lambda item: -item[1]):
        print(f"  rejected: {count:,} {reason}")
    return 0


def _outline(whose: str, *, trusted: bool) -> tuple[str, Landmarker] | None:
    """The landmarker of the 68 points; None is the engine, whose 478 points they are read off.

    Raises:
        MissingError, DataError: what was named is not here or damaged.
    """
    from bench.faces.others import DlibLandmarker, FanLandmarker, fan_weights

    found = fan_weights() if whose == "auto" else None
    if whose == "dlib":
        return "dlib", DlibLandmarker()
    if whose in ("auto", "engine") and found is None:
        return None
    return "fan", FanLandmarker(found or Path(whose), trusted=trusted)
