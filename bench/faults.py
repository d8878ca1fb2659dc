"""Messages for exceptions that are not a `BenchError`: of other people's code, memory, disks, files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import BenchError, ContractError, one_line, pip_install

_SHOWN = 300  # characters of another library's error
_AROUND = 60  # characters on both sides of one that cannot be encoded
_NO_MEMORY = (
    "out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "insufficient memory",
    "failed to allocate", "bad alloc", "bad_alloc", "failed to map segment", "failed to serialize proto",
)  # fmt: skip
"""Phrases in out-of-memory messages of torch, OpenCV, ONNX Runtime and the library loader."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cause_of(error: BaseException) -> str:
    """An exception as one line of text."""
    if isinstance(error, SystemExit):
        return f"it called sys.exit({'' if error.code is None else repr(error.code)})"
    return one_line(f"{type(error).__name__}: {error}")


@contextmanager
def refuse_exit(who: str) -> Iterator[None]:
    """Turn an attempt of a component to end the program into an error.

    Args:
        who: the component, for the error.

    Raises:
        ContractError: it called ``sys.exit``, or raised something that is not an `Exception`. KeyboardInterrupt passes.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ContractError(f"{who} failed: {cause_of(error)}.") from error


def is_memory(error: BaseException) -> bool:
    """Whether an exception of any class means that memory ran out."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, Exception) and any(words in str(error).lower() for words in _NO_MEMORY)


def explanation(error: BaseException) -> str | None:
    """One line for a fault of the machine (memory, disk, permissions, a library); None for any other exception."""
    if isinstance(error, BenchError):
        return str(error)
    cause = " ".join(str(error).split())
    if is_memory(error):
        detail = f": {cause[:_SHOWN]}" if cause else ""
        return f"There is not enough memory{detail}. Give a smaller --batch-size or fewer --threads, or free memory."
    if isinstance(error, ImportError) and "cannot open shared object file" in cause:
        return (
            f"A library of the system is missing: {cause}. Install it (libGL.so.1: apt-get install libgl1), or OpenCV "
            f"without windows: pip uninstall opencv-python, then {pip_install('opencv-python-headless')}."
        )
    if isinstance(error, UnicodeEncodeError) and any("\ud800" <= character <= "\udfff" for character in error.object):
        part = one_line(error.object[max(error.start - _AROUND, 0) : error.end + _AROUND])
        return f"A name that is not UTF-8 text cannot be used here: {part}. Give the file another name."
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        fault = "The disk is full" if error.errno in _FULL else error.strerror or cause or type(error).__name__
        return f"{fault}{place}. Finished work is kept."
    return None
