"""``bench doctor``: does this installation measure truly?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "doctor",
        help="check that this installation measures truly",
        description="Run canaries on drawn faces: hallucinators and labels whose figures are known beforehand, and "
        "faulty ones that must be caught by name. Exit code 1 when one is missed.",
    )
    parser.add_argument("--recogniser", default="sface", metavar="NAME", help="recogniser to measure with")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.doctor import examine
    from bench.terminal import print_checks

    return print_checks("this installation", examine(args.recogniser))
