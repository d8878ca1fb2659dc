"""The ``bench`` command: parses, delegates, turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import __version__
from bench.commands import (
    ablate,
    check,
    compare,
    config,
    data,
    doctor,
    export,
    hallucinate,
    leaderboard,
    list_,
    report,
    run,
    score,
    study,
    train,
)
from bench.commands.parser import Parser, add_group
from bench.errors import BenchError
from bench.printing import printable
from bench.quiet import quieten

_COMMANDS = (
    run, score, report, compare, leaderboard, study, list_, hallucinate, export, train, ablate, data, doctor, check,
    config,
)  # fmt: skip
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 something is missing.

    Without a command, or with one that has commands of its own and none of them, the help goes to standard output.
    """
    quieten()
    parser = make_parser()
    args = parser.parse_args(argv)
    try:
        code: int = args.main(args)
        return code
    except BenchError as error:
        print(f"bench: {printable(error, lines=True)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nbench: interrupted. Finished work is kept; the same command goes on from there.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def make_parser() -> Parser:
    """The parser of the command line, with every subcommand."""
    parser = Parser(
        prog="bench",
        description="A benchmark of face hallucination: tiny faces are super-resolved and turned to the front, and a "
        "face recogniser then says whether they are still the same person's.",
        epilog="Start with `bench run --protocol tinyface`, which needs no data, and `bench list`.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"bench {__version__}")
    subparsers = add_group(parser)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
