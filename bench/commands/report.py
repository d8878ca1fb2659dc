"""``bench report``: run folders to a page, Markdown and CSV."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="write a report from run folders",
        description="Write one self-contained HTML page, Markdown and CSV that compare runs. Smoke runs are refused "
        "in a comparison.",
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the report")
    parser.add_argument("--baseline", metavar="LABEL", help="run to compare with (default: none, else the first)")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from reports import build

    for path in build(args.runs, args.out, baseline=args.baseline):
        print(path)
    return 0
