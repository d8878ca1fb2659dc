"""``bench score``: recompute the figures of a run from its stored rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "score",
        help="recompute a run's figures from its stored rows",
        description="Recompute the figures of a run from its per-probe rows, without models or images.",
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder")
    parser.add_argument("--json", action="store_true", help='flat JSON: {"rank-1": 0.371, ...}')
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.commands.terminal.output import print_figures
    from bench.evaluation import rescore
    from bench.evaluation.identification.figures import flat_figures
    from bench.results.folder import dump_json
    from reports.runs.load import read_result

    stored, standing = read_result(args.run)
    result = rescore(stored)
    if args.json:
        print(dump_json({**flat_figures(result), "not_confirmed": list(standing.doubts)}), end="")
    else:
        print_figures(result, standing.doubts)
    return 0
