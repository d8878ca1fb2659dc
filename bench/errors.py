"""Errors that a user can act on: the command line prints their text bare and exits with their code."""

from __future__ import annotations


class BenchError(Exception):
    """Something the user can mend; the text says what was asked, what was found and what to do."""

    exit_code = 1


class UsageError(BenchError):
    """The command line, a configuration file or a component argument is wrong."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No component of that name is registered."""


class DataError(BenchError):
    """Data were found but cannot be used as they are: damaged, inconsistent or of another layout."""


class ChangedError(DataError):
    """A file that a component was built from has changed since, so that what is computed now belongs to neither."""


class ContractError(BenchError):
    """A component broke its contract: a wrong shape, dtype, range or number of items came back."""


class MissingError(BenchError):
    """Something the run needs is not here: a data set, a weight file, an optional package."""

    exit_code = 3


_LONGEST_CAUSE = 4000  # characters of another library's message


def one_line(cause: object, *, named: bool = False) -> str:
    """Another library's message on one line, whole: white space joined, control characters written as escapes.

    Args:
        cause: an exception or a text; an exception without a text gives the name of its class.
        named: whether the class of the exception stands in front of its text.

    Returns:
        The text; of one longer than 4,000 characters the rest is counted.
    """
    text = " ".join(str(cause).split())
    text = f"{type(cause).__name__}: {text}" if named and text else text or type(cause).__name__
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    more = len(line) - _LONGEST_CAUSE
    return line if more <= 0 else f"{line[:_LONGEST_CAUSE]} ... ({more} more characters)"


def pip_install(*packages: str) -> str:
    """The command that installs packages by their own names, which works wherever this suite came from.

    An extra of this suite would not do: who installed it from a folder finds it on no index.
    """
    return f"pip install {' '.join(packages)}"
