"""``bench study``: a page on which people pick the face most like the true one, and the tally of their answers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from bench.commands.terminal.parser import add_group
from bench.io.atomic import explain_os_errors, write_file

if TYPE_CHECKING:
    from bench.commands import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "study",
        help="ask people which face is most like the true one",
        description="A user study on the faces of finished runs: `page` makes a page for participants, `tally` counts "
        "the files they send back.",
    )
    commands = add_group(parser)
    page = commands.add_parser(
        "page",
        help="make a page for participants",
        description="Make one self-contained HTML page from run folders with images: for each question an LR face, the "
        "true one and each run's output, in an order that is balanced over places and differs by participant. The page "
        "names no method; what its letters stand for is in key.json, which participants must not see.",
    )
    page.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="run folders with images, on the same data")
    page.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder, new or empty")
    page.add_argument(
        "--questions", type=int, default=100, metavar="N", help="how many (default: 100, as in the paper)"
    )
    page.add_argument("--seed", type=int, default=0, metavar="S", help="of faces, letters and orders (default: 0)")
    page.set_defaults(main=make)
    tally = commands.add_parser(
        "tally",
        help="count the answers",
        description="Count answers: share of picks of each method with 95 %% intervals over participants, unanswered "
        "questions, favoured places, agreement. Files that cannot be trusted are named and left out.",
    )
    tally.add_argument("files", type=Path, nargs="+", metavar="FILE", help="answers of participants")
    tally.add_argument(
        "--page", type=Path, metavar="DIR", help="the folder of `bench study page`, which knows the names"
    )
    tally.add_argument("--out", type=Path, metavar="FILE.json", help="write the figures as JSON too")
    tally.add_argument("--seed", type=int, default=0, metavar="S", help="of the intervals (default: 0)")
    tally.set_defaults(main=count)


def make(args: argparse.Namespace) -> int:
    """Run ``bench study page``."""
    from reports.userstudy.page import write_page
    from reports.userstudy.questions import sample

    found = sample(args.runs, count=args.questions, seed=args.seed)
    written = write_page(found, args.out, seed=args.seed)
    for note in found.notes:
        print(f"note: {note}")
    left = len(found.questions) % len(found.methods)
    if left:
        print(
            f"note: {len(found.questions)} questions on {len(found.methods)} methods: places are balanced but for one"
        )
    size = written.page.stat().st_size / 2**20
    print(
        f"{written.page}: {len(found.questions)} questions on {len(found.methods)} methods, {size:.1f} MiB. Give this "
        f"file alone to participants;\n{written.key} says what its letters stand for: keep it.\n"
        f"Their answers: bench study tally FILE... --page {args.out}"
    )
    return 0


def count(args: argparse.Namespace) -> int:
    """Run ``bench study tally``."""
    from bench.results.folder import dump_json
    from reports.userstudy.answers import read_key, read_sheets
    from reports.userstudy.tally import tally, to_plain, to_text

    key = read_key(args.page) if args.page else None
    sheets, skipped = read_sheets(args.files, key)
    found = tally(sheets, skipped, key, seed=args.seed)
    print(to_text(found), end="")
    if args.out:
        with explain_os_errors(f"Cannot write {args.out}"):
            write_file(args.out, dump_json(to_plain(found)))
    return 0
