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
    """Standard output takes no more; the text is empty where its reader went away, as ``head`` does."""


class _Stream:
    """A text stream whose faults are turned into `OutputLost` (standard output) or passed over (standard error)."""

    def __init__(self, stream: TextIO | None, *, must_arrive: bool) -> None:
        self._stream, self._must_arrive = stream, must_arrive

    def write(self, text: str) -> int:
        """Write; see the class for what a fault does."""
        with self._faults():
            if self._stream is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush; see the class for what a fault does."""
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
            if self._must_arrive:
                raise OutputLost(_cause(error)) from None


@contextmanager
def standard_streams() -> Iterator[None]:
    """Make standard output and standard error safe to write to inside the block.

    Characters that the terminal's encoding lacks, and bytes of file names that are no text, are escaped as JSON does.
    A closed stream's number is taken, so that no file of the run gets what libraries write there.
    """
    out, err = sys.stdout, sys.stderr
    for number in (0, 1, 2):
        with suppress(OSError):
            _hold(number)
    for stream in (out, err):
        if isinstance(getattr(stream, "errors", None), str) and hasattr(stream, "reconfigure"):
            with suppress(OSError, ValueError):
                cast("Any", stream).reconfigure(errors=ESCAPED)
    sys.stdout = cast("TextIO", _Stream(out, must_arrive=True))
    sys.stderr = cast("TextIO", _Stream(err, must_arrive=False))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        if out is not None and _cannot_flush(out):
            _discard(out)
        if err is not None and _cannot_flush(err):
            _discard(err)


def _hold(number: int) -> None:
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
    """Send what a stream still holds nowhere, so that the end of the program does not fail at it."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()


def _cause(error: OSError | ValueError) -> str:
    if isinstance(error, BrokenPipeError):
        return ""
    reason = getattr(error, "strerror", None) or str(error)
    return f"Standard output cannot be written: {reason}. What was computed is kept."
