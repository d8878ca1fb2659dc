"""``bench leaderboard``: rank a folder of submitted results in tables."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "leaderboard",
        help="rank a folder of submitted results",
        description="Read a folder with one folder for each submission (a run folder, several, or a report.json) and "
        "print a table for each protocol, data set and recogniser. Damaged or mixed submissions are named and "
        "excluded. See docs/results.md.",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of submissions")
    parser.add_argument("--figure", metavar="NAME", help="figure to rank by (default: the first of each board)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="Markdown")
    form.add_argument("--json", action="store_true", help="JSON at full precision")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a submission was excluded")
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    import sys

    from reports.leaderboard.board import make_boards
    from reports.leaderboard.submissions import read_submissions
    from reports.leaderboard.text import to_lines, to_markdown, to_object
    from reports.text.tables import cell, to_json

    submissions, skipped = read_submissions(args.folder)
    boards = make_boards(submissions, args.figure)
    if args.json:
        print(to_json(to_object(boards, skipped)), end="")
    elif args.markdown:
        print(to_markdown(boards, skipped), end="")
    else:
        print("\n".join(to_lines(boards, skipped)))
    if skipped and (args.json or args.markdown):
        for item in skipped:
            print(f"left out: {cell(item.folder_name)}: {cell(item.reason, 400)}", file=sys.stderr)
    return 1 if skipped and args.strict else 0
