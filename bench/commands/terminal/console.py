"""The standard streams of the command line: closed ones, full disks, broken pipes and narrow encodings."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from bench.errors import BenchError
from bench.io.printing import ESCAPED


class OutputLost(BenchError):
    """Standard output cannot be written; the text is empty where its reader closed it, as ``head`` does."""


class _Stream:
    """A text stream whose faults become `OutputLost` (standard output) or are ignored (standard error)."""

    def __init__(self, stream: TextIO | None, *, is_output: bool) -> None:
        self._stream, self._is_output = stream, is_output

    def write(self, text: str) -> int:
        """Write; see the class for faults."""
        with self._faults():
            if self._stream is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush; see the class for faults."""
        with self._faults():
            if self._stream is not None:
                self._stream.flush()

    def isatty(self) -> bool:
        """Whether a terminal shows it."""
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        if self._stream is None:
            raise AttributeError(f"a closed stream has no {name}")
        return getattr(self._stream, name)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            if isinstance(error, UnicodeError):
                raise
            if self._is_output:
                raise OutputLost(_cause(error)) from None


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make standard output and standard error safe to write to inside the block.

    Characters that the terminal's encoding lacks, and bytes of file names that are not UTF-8, are escaped as in JSON.
    The number of a closed stream is reserved, so that no file of the run receives output of libraries.
    """
    out, err = sys.stdout, sys.stderr
    for number in (0, 1, 2):
        with suppress(OSError):
            _reserve(number)
    for stream in (out, err):
        if isinstance(getattr(stream, "errors", None), str) and hasattr(stream, "reconfigure"):
            with suppress(OSError, ValueError):
                cast("Any", stream).reconfigure(errors=ESCAPED)
    sys.stdout = cast("TextIO", _Stream(out, is_output=True))
    sys.stderr = cast("TextIO", _Stream(err, is_output=False))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        if out is not None and _cannot_flush(out):
            _discard(out)
        if err is not None and _cannot_flush(err):
            _discard(err)


def _reserve(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)


def _cannot_flush(stream: TextIO) -> bool:
    try:
        stream.flush()
    except (OSError, ValueError):
        return True
    return False


def _discard(stream: TextIO) -> None:
    """Discard the buffer of a stream, so that the end of the program does not fail."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def _cause(error: OSError | ValueError) -> str:
    if isinstance(error, BrokenPipeError):
        return ""
    reason = getattr(error, "strerror", None) or str(error)
    return f"Standard output cannot be written: {reason}. Finished work is kept."
