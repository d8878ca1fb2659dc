"""``bench userstudy``: a page on which people pick the face most like the ground truth, and a tally of the answers.

``bench study``, its earlier name, still works.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.terminal.parser import add_group
from bench.io.atomic import explain_os_errors, write_file

if TYPE_CHECKING:
    from bench.commands import Subparsers

_DESCRIPTION = (
    "A user study on the faces of finished runs: `page` writes a page for participants, `tally` counts the files they "
    "send back."
)
_OLD_NAME = "study"


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand, and its earlier name without a line in the help."""
    parser = subparsers.add_parser(
        "userstudy", help="ask people which face is most like the ground truth", description=_DESCRIPTION
    )
    old = subparsers.add_parser(_OLD_NAME, description=_DESCRIPTION)
    _add_commands(parser)
    _add_commands(old)
    old.set_defaults(called=_OLD_NAME)


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = add_group(parser)
    page = commands.add_parser(
        "page",
        help="write a page for participants",
        description="Write one self-contained HTML page from run folders with images. Each question shows an LR face, "
        "the ground truth and the output of each run, in an order that is balanced over positions and differs by "
        "participant. The page names no method; key.json, which participants must not see, assigns methods to letters.",
    )
    page.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders with images, on the same data")
    page.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder, new or empty")
    page.add_argument(
        "--questions", type=int, default=100, metavar="N", help="number of questions (default: 100, as in the paper)"
    )
    page.add_argument("--seed", type=int, default=0, metavar="S", help="of faces, letters and orders (default: 0)")
    page.set_defaults(main=write)
    tally = commands.add_parser(
        "tally",
        help="count the answers",
        description="Count answers: share of picks of each method with 95 %% intervals over participants, unanswered "
        "questions, preference for positions, agreement. Files that fail a check are named and excluded.",
    )
    tally.add_argument("files", type=Path, nargs="+", metavar="FILE", help="answers of participants")
    tally.add_argument(
        "--page", type=Path, metavar="DIR", help="the folder of `bench userstudy page`, which has the names of methods"
    )
    tally.add_argument("--out", type=Path, metavar="FILE.json", help="also write the figures as JSON")
    tally.add_argument("--seed", type=int, default=0, metavar="S", help="of the intervals (default: 0)")
    tally.set_defaults(main=count)


def _warn_old_name(args: argparse.Namespace) -> None:
    if getattr(args, "called", "") == _OLD_NAME:
        print("note: `bench study` is now called `bench userstudy`.", file=sys.stderr)


def write(args: argparse.Namespace) -> int:
    """Run ``bench userstudy page``."""
    from reports.userstudy.page import write_page
    from reports.userstudy.questions import choose_questions

    _warn_old_name(args)
    selection = choose_questions(args.runs, count=args.questions, seed=args.seed)
    files = write_page(selection, args.out, seed=args.seed)
    for note in selection.notes:
        print(f"note: {note}")
    questions, methods = len(selection.questions), len(selection.methods)
    if questions % methods:
        print(
            f"note: {questions} is not a multiple of {methods} methods: counts of a method at each position differ by "
            "at most one"
        )
    size = files.page.stat().st_size / 2**20
    print(
        f"{files.page}: {questions} questions on {methods} methods, {size:.1f} MiB. Give participants only this "
        f"file;\n{files.key} assigns methods to letters: keep it.\n"
        f"To count the answers: bench userstudy tally FILE... --page {args.out}"
    )
    return 0


def count(args: argparse.Namespace) -> int:
    """Run ``bench userstudy tally``."""
    from bench.results.folder import dump_json
    from reports.userstudy.answers import read_answers, read_key
    from reports.userstudy.tally import tally, to_plain, to_text

    _warn_old_name(args)
    key = read_key(args.page) if args.page else None
    files, skipped = read_answers(args.files, key)
    result = tally(files, skipped, key, seed=args.seed)
    print(to_text(result), end="")
    if args.out:
        with explain_os_errors(f"Cannot write {args.out}"):
            write_file(args.out, dump_json(to_plain(result)))
    return 0
