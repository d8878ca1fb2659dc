"""``bench data init``: propose a table for a folder of pictures and write it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers

TABLE = "faces.csv"
_SHOWN = 5


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "init",
        help="write the table of your own pictures for the protocol csv",
        description="Look at a folder of your own pictures and write DIR/faces.csv with path, identity and role. "
        "People and roles are read from the folders gallery and probe, from a folder a person, or from names such as "
        "ann_01.jpg. Correct the table by hand where the proposal is wrong.",
    )
    parser.add_argument("root", type=Path, metavar="DIR", help="folder of pictures")
    parser.add_argument(
        "--enrol",
        type=int,
        default=1,
        metavar="N",
        help="pictures of each person that are enrolled, without folders gallery and probe (default: 1)",
    )
    parser.add_argument("--dry-run", action="store_true", help="show the proposal and write nothing")
    parser.add_argument("--overwrite", action="store_true", help=f"replace {TABLE}")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run ``bench data init``."""
    from bench.errors import UsageError
    from bench.io.atomic import explain_os_errors, write_file
    from protocols.owndata.proposal import first_rows, propose

    if args.enrol < 1:
        raise UsageError(f"--enrol is {args.enrol}; give 1 or more.")
    out = args.root / TABLE
    if out.exists() and not (args.dry_run or args.overwrite):
        raise UsageError(f"{out} exists. `bench data check csv {args.root}` checks it; --overwrite replaces it.")
    proposal = propose(args.root, enrol=args.enrol)
    table = proposal.table(args.root)
    print(f"Rule: {proposal.rule}.")
    for role, (pictures, people) in proposal.counts().items():
        print(f"  {role}: {pictures:,} pictures" + (f" of {people:,} people" if people else ""))
    for note in proposal.notes:
        print(f"  note: {note}")
    for row in first_rows(table, _SHOWN):
        print(f"    {row}")
    if args.dry_run:
        print("Nothing was written (--dry-run).")
        return 0
    with explain_os_errors(f"Cannot write {out}"):
        write_file(out, table)
    print(f"Written to {out}")
    print(f"Check:  bench data check csv:file={TABLE} {args.root}")
    print(f"Run:    bench run --protocol csv:file={TABLE} --data-root {args.root}")
    return 0
