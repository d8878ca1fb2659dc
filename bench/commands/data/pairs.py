"""``bench data pairs``: pack a folder of photographs into one training file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.data.photograph_sets import add_exclude_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.commands import Subparsers
    from bench.faces.landmarks.mediapipe import Landmarker
    from bench.interfaces import Recogniser

_AUTO = "auto"


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "pairs",
        help="pack a folder of photographs into one training file",
        description="Find the face of every photograph, keep the frontal ones (--most-yaw), and pack them with their "
        "landmarks into one file; training turns, shrinks and crops them on the fly. Photographs that may show one "
        "person are one group, and each group is in one part: train (80 in 100), validation (4), tuning (6) or sealed "
        "(10).",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="photographs")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write (.npz)")
    parser.add_argument(
        "--group-by",
        default=_AUTO,
        metavar="RULES",
        help="what joins two photographs, by commas: bytes (equal files), phash (nearly equal perceptual hashes), "
        "recognisers (SFace and dlib agree); default: all three, or bytes,phash with a warning where a recogniser is "
        "not installed",
    )
    parser.add_argument(
        "--identities",
        metavar="WHERE",
        help="identity labels, which join photographs too: folder (a folder a person, as LFW) or a list such as "
        "identity_CelebA.txt or a CSV with a column identity",
    )
    parser.add_argument(
        "--partition",
        type=Path,
        metavar="FILE",
        help="published parts such as list_eval_partition.txt of CelebA: its test part is sealed, its validation part "
        "is validation and tuning",
    )
    parser.add_argument("--person", choices=("file", "folder"), default="file", help=argparse.SUPPRESS)
    add_exclude_option(parser)
    parser.add_argument("--quality", type=int, default=90, metavar="Q", help="of the JPEGs (default: 90)")
    parser.add_argument(
        "--margin",
        type=int,
        metavar="N",
        help="for photographs that show more than a face: bring each to the frame of hallucinated faces, with N pixels "
        "of its surroundings (default: photographs are aligned crops, taken whole)",
    )
    parser.add_argument(
        "--most-yaw",
        type=float,
        default=15.0,
        metavar="DEG",
        help="reject heads that are turned further (default: 15); 90 keeps all poses, for `bench train --photographs`",
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
    from bench.commands.data.photograph_sets import describe_set
    from bench.errors import UsageError
    from bench.faces.landmarks.mediapipe import FaceLandmarker
    from bench.faces.pairs.describe import Describer
    from bench.faces.pairs.grouping import Grouping, groups_table
    from bench.faces.pairs.identities import FOLDER, read_identities, read_partition
    from bench.faces.pairs.pack import pack, photographs

    if not 0 < args.most_yaw <= 90:
        raise UsageError(f"--most-yaw is {args.most_yaw:g}; give more than 0 and at most 90 degrees.")
    files = photographs(args.folder)
    labels = args.identities or (FOLDER if args.person == "folder" else None)
    rules, recognisers = _rules(args.group_by)
    identities = None if labels is None else read_identities(labels, args.folder, files)
    partition = None if args.partition is None else read_partition(args.partition, args.folder, files)
    outline = _outline(args.heatmaps, trusted=args.unsafe_torchscript != "no")
    grouping = Grouping(
        Describer(recognisers),
        rules,
        identities,
        partition,
        {str(path): describe_set(path, recognisers) for path in args.exclude},
    )
    with progress.stage("pack faces", len(files)) as advance:
        packed = pack(
            files,
            args.out,
            FaceLandmarker(),
            quality=args.quality,
            margin=args.margin,
            most_yaw_deg=args.most_yaw,
            outline=outline,
            grouping=grouping,
            advance=advance,
        )
    print(f"{args.out}: {packed.train:,} faces to train, {packed.test:,} left out, {packed.size / 2**20:.1f} MiB")
    print(f"  68 points for heatmaps: {outline[0] if outline else 'engine'}")
    if packed.groups is not None:
        print("\n".join(groups_table(packed.groups)))
    for reason, count in sorted(packed.rejected.items(), key=lambda item: -item[1]):
        print(f"  rejected: {count:,} {reason}")
    return 0


def _rules(text: str) -> tuple[tuple[str, ...], Mapping[str, Recogniser]]:
    """The rules of grouping, and the recognisers they need.

    Raises:
        UsageError: a rule is unknown.
        MissingError: the recognisers were requested, and one is not installed.
    """
    from bench.commands.data.photograph_sets import grouping_recognisers
    from bench.errors import MissingError
    from bench.faces.pairs.groups import RULES, check_rules

    if text != _AUTO:
        rules = check_rules([rule.strip() for rule in text.split(",") if rule.strip()])
        return rules, grouping_recognisers() if "recognisers" in rules else {}
    try:
        return RULES, grouping_recognisers()
    except MissingError as error:
        print(
            "warning: photographs are grouped by bytes and perceptual hash alone, because a recogniser is absent: "
            f"{str(error).splitlines()[0]} Other photographs of one person may be in two parts.",
            file=sys.stderr,
        )
        return RULES[:2], {}


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
