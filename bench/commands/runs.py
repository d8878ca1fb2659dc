"""``bench runs``: the run folders below a folder, as a table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "runs",
        help="list run folders with their first figure",
        description="List the run folders in a folder and in the folders below it, the oldest first: protocol, "
        "hallucinator, recogniser, first figure with its interval, kind of data. Damaged runs are named with the "
        "reason. Exit code: 0 done; 1 a run is damaged; 3 there is no run.",
    )
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("runs"), metavar="DIR", help="(default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable, at full precision")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.results.folder import dump_json
    from bench.results.text import print_line
    from reports.runs.listing import find_runs, to_lines, to_objects

    runs, skipped = find_runs(args.folder)
    if args.json:
        print(dump_json(to_objects(runs, skipped)), end="")
    else:
        for line in to_lines(runs, skipped):
            print_line(line)
    return 1 if skipped else 0
