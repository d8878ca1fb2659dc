"""The ``bench`` command: parses, delegates, turns errors into messages and exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from bench import __version__
from bench.commands import (
    ablate,
    cache,
    compare,
    config,
    data,
    doctor,
    export,
    hallucinate,
    leaderboard,
    report,
    run,
    runs,
    score,
    train,
    userstudy,
)
from bench.commands.components import check, list_, plugin
from bench.commands.terminal.console import OutputLost, standard_streams
from bench.commands.terminal.parser import Parser, add_group
from bench.commands.terminal.plugin_option import run_plugins
from bench.errors import BenchError
from bench.faults import cause_of, explanation
from bench.io.outputs import check_output
from bench.io.printing import printable
from bench.io.quiet import silence_libraries
from bench.neighbours import check_neighbours

_COMMANDS = (
    run, runs, score, report, compare, leaderboard, userstudy, list_, hallucinate, export, train, ablate, data, doctor,
    check, plugin, config, cache,
)  # fmt: skip
_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 something is missing.

    Without a command, or with a group of commands and none of its members, the help goes to standard output.
    """
    with standard_streams():
        try:
            code = _run(argv)
            sys.stdout.flush()
            return code
        except OutputLost as error:
            if str(error):
                _say(str(error))
            return error.exit_code


def _run(argv: Sequence[str] | None) -> int:
    silence_libraries()
    parser = make_parser()
    try:
        args = parser.parse_args(argv)
    finally:
        sys.stdout.flush()  # --help and --version end the program there
    try:
        _check_folder()
        check_neighbours()
        if getattr(args, "out", None):
            check_output(Path(args.out))
        if getattr(args, "plugin", None):
            run_plugins(args.plugin)
        code: int = args.main(args)
        return code
    except OutputLost:
        raise
    except BenchError as error:
        _say(printable(error, lines=True))
        return error.exit_code
    except KeyboardInterrupt:
        print("\nbench: interrupted. Finished work is kept; the same command continues from there.", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001  # one line for faults of the machine, a traceback for others
        text = explanation(error)
        if text is None:
            traceback.print_exc()
        else:
            _say(text)
        return 1
    except BaseException as error:  # noqa: BLE001  # sys.exit(0) in a component is not a success of the command
        _say(f"a component failed: {cause_of(error)}.")
        return 1


def _check_folder() -> None:
    """Refuse a working folder that does not exist any more: relative paths cannot be resolved."""
    try:
        os.getcwd()
    except OSError as error:
        raise BenchError(
            f"The working folder cannot be used ({error.strerror}): it was deleted or may not be read. Change to "
            "another folder and give the same command again."
        ) from None


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr)


def make_parser() -> Parser:
    """The parser of the command line, with every subcommand."""
    parser = Parser(
        prog="bench",
        description="A benchmark of face hallucination: tiny faces are super-resolved and turned to the front, and a "
        "face recogniser then decides whether they still show the same person.",
        epilog="Start with `bench run --protocol tinyface`, which needs no data, and `bench list`. Exit codes: 0 done, "
        "1 failed, 2 wrong usage, 3 something is missing, 130 interrupted.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"bench {__version__}")
    subparsers = add_group(parser)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    return parser


if __name__ == "__main__":
    sys.exit(main())
