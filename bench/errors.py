"""Errors that a user can act on: the command line prints their text bare and exits with their code."""

from __future__ import annotations


class BenchError(Exception):
    """An error that the user can correct; the text names the input, the fault and what to do."""

    exit_code = 1


class UsageError(BenchError):
    """The command line, a configuration file or a component argument is wrong."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No component of that name is registered."""


class DataError(BenchError):
    """Data were found but cannot be used as they are: damaged, inconsistent or of another layout."""


class ChangedError(DataError):
    """A file that a component was built from has changed since, so new values belong to neither
    version.
    """


class ContractError(BenchError):
    """A component broke its contract: a wrong shape, dtype, range or number of items came back."""


class MissingError(BenchError):
    """Something that the run needs is missing: a data set, a weight file, an optional package."""

    exit_code = 3


_LONGEST_CAUSE = 4000  # characters of another library's message


def one_line(cause: object, *, named: bool = False) -> str:
    """A message of another library on one line: white space collapsed, control characters escaped.

    Args:
        cause: an exception or a text; an exception without a text gives the name of its class.
        named: whether to put the class of the exception before its text.

    Returns:
        The text; after 4,000 characters it is cut and the number of further characters is given.
    """
    text = " ".join(str(cause).split())
    text = f"{type(cause).__name__}: {text}" if named and text else text or type(cause).__name__
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    more = len(line) - _LONGEST_CAUSE
    return line if more <= 0 else f"{line[:_LONGEST_CAUSE]} ... ({more} more characters)"


def pip_install(*packages: str) -> str:
    """The command that installs packages by their names.

    An extra of this suite would not work where the suite was installed from a folder, since it is on no index.
    """
    return f"pip install {' '.join(packages)}"
