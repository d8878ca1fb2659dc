"""``bench compare``: two finished runs, figure by figure; an exit code for continuous integration."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "compare",
        help="compare two runs, figure by figure",
        description="Print every figure of two runs of one protocol on the same data, the paired difference with its "
        "interval and p-value, and what differs in their configurations. Exit code: 0 done; 1 a limit of --fail-below "
        "was exceeded, or a run is damaged; 2 the runs were not measured in the same way; 3 a run does not exist.",
    )
    parser.add_argument(
        "first", nargs="+", metavar="[NAME=]RUN", help="run folder of the reference, and a name for it if you like"
    )
    parser.add_argument("second", metavar="[NAME=]RUN", help="run folder that is compared with it")
    parser.add_argument(
        "--fail-below",
        action="append",
        default=[],
        metavar="FIGURE=POINTS",
        help="exit with 1 when FIGURE of the second run is worse by more than POINTS: percentage points of a fraction, "
        "else its own unit (rank-1=0.5, psnr_db=0.1); may be given several times",
    )
    parser.add_argument(
        "--baseline",
        choices=("strongest",),
        help="strongest: the references are several runs of the LR face, and the one with the highest headline figure "
        "and the recogniser of the last run is taken",
    )
    parser.add_argument("--json", action="store_true", help="JSON at full precision")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.commands.terminal.run_names import split_names
    from reports.comparison.compare import compare_runs, judge_gates, parse_gates
    from reports.comparison.reference import choose_reference
    from reports.comparison.text import to_lines, to_object
    from reports.text.tables import to_json

    gates = parse_gates(args.fail_below)  # first, so that a typing error is reported at once
    (*references, second), names = split_names([*args.first, args.second])
    first, notes = choose_reference(references, second, strongest=args.baseline is not None)
    comparison = compare_runs(first, second, names)
    results = judge_gates(comparison, gates)
    if args.json:
        print(to_json({**to_object(comparison, results), **({"notes": notes} if notes else {})}), end="")
    else:
        print("\n".join([*to_lines(comparison, results), *notes]))
    return 1 if any(gate.failed for gate in results) else 0
