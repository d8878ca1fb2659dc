"""Parser of the command line: spellings, suggestions, and help if no command is given."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from bench.grammar.spelling import british
from bench.grammar.values import suggestion

if TYPE_CHECKING:
    from bench.commands import Subparsers

_CHOICE = re.compile(r"invalid choice: '(?P<given>[^']*)' \(choose from (?P<known>[^)]*)\)")


class Parser(argparse.ArgumentParser):
    """An argument parser that accepts both spellings of an option and suggests the nearest option to an unknown one.

    ``--recognizer`` is ``--recogniser`` and ``--data_root`` is ``--data-root``. An unknown option is an error of its
    subcommand, whose usage line is shown.
    """

    add_more: Callable[[argparse.ArgumentParser], None] | None = None
    """Adds the options that cost an import, once, when this command is parsed."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as `argparse.ArgumentParser` does; remaining arguments end the program with exit code 2."""
        if self.add_more is not None:
            add, self.add_more = self.add_more, None
            add(self)
        words = [self._to_known_spelling(word) for word in (sys.argv[1:] if args is None else args)]
        values, remaining = super().parse_known_args(words, namespace)
        for word in remaining:
            name = word.partition("=")[0]
            if word.startswith("-"):
                self.error(f"unknown option {name}{suggestion(name, self._option_string_actions)}")
            self.error(f"{word!r} is one argument too many")
        return values, remaining

    def error(self, message: str) -> NoReturn:
        """Print the usage and the message, with the nearest choice to a mistyped one; exit with code 2."""
        wrong = _CHOICE.search(message)
        if wrong:
            known = [name.strip().strip("'") for name in wrong["known"].split(",")]
            message += suggestion(wrong["given"], known)
        super().error(message)

    def _to_known_spelling(self, word: str) -> str:
        """An option in this parser's spelling; any other word unchanged."""
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name in self._option_string_actions:
            return word
        same = [known for known in self._option_string_actions if british(known) == british(name)]
        return f"{same[0]}{equals}{value}" if same else word


def add_group(parser: argparse.ArgumentParser) -> Subparsers:
    """Commands of a command (``bench data check``); without one of them the help is printed."""

    def show_help(args: argparse.Namespace) -> int:
        parser.print_help()
        return 0

    parser.set_defaults(main=show_help)
    return parser.add_subparsers(title="commands", metavar="COMMAND")
