"""``bench data pairs``: a folder of photographs to one training file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


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
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench import progress
    from bench.faces.landmarks import FaceLandmarker
    from bench.faces.pack import pack, photographs

    files = photographs(args.folder)
    with progress.stage("pack faces", len(files)) as advance:
        done = pack(
            files,
            args.out,
            FaceLandmarker(),
            person=(lambda path: path.parent.name) if args.person == "folder" else (lambda path: path.name),
            quality=args.quality,
            margin=args.margin,
            advance=advance,
        )
    print(f"{args.out}: {done.train:,} faces to train, {done.test:,} left out, {done.size / 2**20:.1f} MiB")
    for reason, count in sorted(done.rejected.items(), key=lambda item: -item[1]):
        print(f"  rejected: {count:,} {reason}")
    return 0
