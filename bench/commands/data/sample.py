"""``bench data sample``: write a small sample of a data set, of drawn people."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(commands: Subparsers) -> None:
    """Add the subcommand to those of ``bench data``."""
    parser = commands.add_parser(
        "sample",
        help="write a small sample of a data set, of drawn people",
        description="Write a small sample of a data set in its official layout: folders, names, lists, annotations. "
        "Its people are drawn from a seed. It is for trying out; figures measured on it say nothing about the data "
        "set.",
    )
    parser.add_argument(
        "name",
        metavar="NAME",
        help="tinyface, multipie, mmi, celeba, dronesurf, ijbc, lfw, cfp, folder, csv or pairs; options after a colon: "
        "ijbc:release=A",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder, new or empty")
    parser.add_argument("--identities", type=int, metavar="N", help="number of people (default: that of the sample)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="same seed, same bytes (default: 0)")
    parser.add_argument("--painter", metavar="NAME", help="painter of the faces (default: chosen by the suite)")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run ``bench data sample``."""
    from bench.progress import stage
    from bench.registry import Spec, load_plugins
    from protocols.sample import painter, write_sample

    load_plugins()
    spec = Spec.parse(args.name)
    summary = write_sample(
        spec.name,
        args.out,
        identities=args.identities,
        seed=args.seed,
        paint=None if args.painter is None else painter(args.painter),
        progress=stage,
        options=dict(spec.arguments),
    )
    counts = ", ".join(f"{count:,} {part}" for part, count in summary.counts.items())
    print(f"{args.out}: SAMPLE of {summary.identities} drawn people in the layout of {summary.database}")
    print(f"  {summary.images:,} images; {counts}")
    print("  for trying out only: a figure measured on it says nothing about the data set")
    return 0
