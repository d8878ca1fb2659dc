"""``bench report``: write a page, Markdown and CSV from run folders."""

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
        description="Write one self-contained HTML page, Markdown and CSV that compare runs. Smoke runs are compared "
        "only with smoke runs on the same probes, under a banner.",
    )
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="[NAME=]RUN",
        help="run folder, and its name in the report (default: its --label); or the folder of an experiment, whose "
        "finished cells are reported",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the report")
    parser.add_argument(
        "--baseline",
        metavar="LABEL",
        help="run to compare with (default: the run labelled none, else the first); strongest: for each recogniser the "
        "run of the LR face with the highest headline figure, whatever its alignment",
    )
    parser.add_argument(
        "--viewer",
        choices=("sampled", "folder", "none"),
        help="images of probes: as many as fit into the page; all, in a folder beside it; none (default: sampled)",
    )
    parser.add_argument(
        "--style",
        choices=("page", "paper"),
        default="page",
        help="page: one page that compares runs; paper: Tables I to VII and the figures of the paper, from runs, "
        "folders of `bench ablate` and tallies of `bench userstudy tally` (default: page)",
    )
    parser.add_argument(
        "--with-published",
        action="store_true",
        help="with --style paper: also the numbers of the paper, labelled",
    )
    parser.set_defaults(main=main)


def main(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.commands.terminal.run_names import finished_cells, split_names

    if args.style == "paper":
        return _paper(args)
    if args.with_published:
        from bench.errors import UsageError

        raise UsageError("--with-published needs --style paper.")
    from reports import build

    runs, names = split_names(args.runs)
    for path in build(
        finished_cells(runs), args.out, baseline=args.baseline, viewer=args.viewer or "sampled", given_names=names
    ):
        print(path)
    return 0


def _paper(args: argparse.Namespace) -> int:
    """Tables and figures of the paper."""
    from bench.errors import UsageError
    from reports.paper import build

    if args.viewer is not None:
        raise UsageError("--viewer has no effect with --style paper. Omit it.")
    if args.baseline is not None:
        raise UsageError("--baseline has no effect with --style paper. Omit it.")
    for path in build([Path(run) for run in args.runs], args.out, with_published=args.with_published):
        print(path)
    return 0
