"""``bench data shrink``: make a set of LR images from a folder of larger ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers

RECORD = "shrink.json"


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "shrink",
        help="make a set of LR images from a folder of larger ones",
        description="Reduce every image of a folder to an LR image. The settings and counts are written to "
        f"{RECORD} beside the images.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="images; for the layout tinyface a folder a person")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder, new or empty")
    parser.add_argument(
        "--layout",
        choices=("folder", "tinyface"),
        default="folder",
        help="folder (default): the same folders and names, PNG; tinyface: probes, gallery, distractors, training set "
        "and lists of TinyFace, for `bench run --protocol tinyface --data-root OUT`",
    )
    parser.add_argument(
        "--sides", default="16", metavar="N|N-M", help="pixels of the longer side, drawn by its logarithm (default: 16)"
    )
    parser.add_argument("--kernel", default="bicubic", help="bicubic (default), bilinear or area")
    parser.add_argument(
        "--blur", type=float, default=0.0, metavar="PX", help="Gaussian blur before, standard deviation in pixels"
    )
    parser.add_argument(
        "--noise", type=float, default=0.0, metavar="S", help="Gaussian noise after, standard deviation of 0 to 255"
    )
    parser.add_argument("--jpeg", type=int, default=0, metavar="Q", help="JPEG compression at the end, quality 1 to 95")
    parser.add_argument(
        "--box", default="0,0,1,1", metavar="L,T,W,H", help="part that is kept, as shares of each image (default: all)"
    )
    parser.add_argument(
        "--exclude",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="people to leave out: a pack (those it trains on) or a list of names; repeatable",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of sides and noise (default: 0)")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench import progress
    from bench.errors import UsageError
    from bench.faces.pairs.pack import photographs
    from bench.faces.pairs.people import people_trained_on
    from bench.media.degradation import Shrinking
    from bench.results.folder import dump_json
    from protocols.shrunk.folder import write_folder
    from protocols.shrunk.settings import ShrunkSettings
    from protocols.shrunk.tinyface import write_tinyface

    settings = ShrunkSettings(
        _sides(args.sides),
        Shrinking(args.kernel, args.blur, args.noise, args.jpeg),
        _box(args.box),
        args.seed,
    )
    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise UsageError(f"{args.out} exists and is not an empty folder; give a new one.")
    files = photographs(args.folder)
    without = people_trained_on(args.exclude)
    write = write_tinyface if args.layout == "tinyface" else write_folder
    with progress.stage("shrink images", len(files)) as advance:
        counts, reasons = write(args.folder, files, args.out, settings, advance, without=without)
    record = {
        "source": args.folder.name,
        "layout": args.layout,
        **settings.record(),
        "counts": counts,
        "left_out": dict(sorted(reasons.items())),
        "excluded": [path.name for path in args.exclude],
    }
    (args.out / RECORD).write_text(dump_json(record), encoding="utf-8")
    print(f"{args.out}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"  left out: {count:,} {reason}")
    return 0


def _sides(text: str) -> tuple[int, int]:
    from bench.errors import UsageError

    low, dash, high = text.partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()):
        raise UsageError(f"--sides is {text!r}; give one number of pixels, or two as in 12-36.")
    return int(low), int(high) if dash else int(low)


def _box(text: str) -> tuple[float, float, float, float]:
    from bench.errors import UsageError

    try:
        left, top, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--box is {text!r}; give four shares: left,top,width,height.") from None
    return left, top, width, height
