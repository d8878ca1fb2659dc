"""Faults that are nobody's error text yet: what a stranger's code raises, memory, disks, files."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from bench.errors import BenchError, ContractError, one_line, pip_install

_SHOWN = 300  # letters of another library's error
_AROUND = 60  # letters on both sides of one that is no text
_NO_MEMORY = (
    "out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory", "insufficient memory",
    "failed to allocate", "bad alloc", "bad_alloc", "failed to map segment", "failed to serialize proto",
)  # fmt: skip
"""Words by which torch, OpenCV, ONNX Runtime and the loader of libraries say that memory ran out."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cause_of(error: BaseException) -> str:
    """What was raised, in one line."""
    if isinstance(error, SystemExit):
        return f"it ends the program: sys.exit({'' if error.code is None else repr(error.code)})"
    return one_line(f"{type(error).__name__}: {error}")


@contextmanager
def kept_running(who: str) -> Iterator[None]:
    """Run code of a component that must not end the program.

    Args:
        who: the component, for the error.

    Raises:
        ContractError: it called ``sys.exit``, or raised what is no `Exception`. KeyboardInterrupt passes.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise ContractError(f"{who} failed: {cause_of(error)}.") from error


def is_memory(error: BaseException) -> bool:
    """Whether memory ran out, whatever class of exception a library makes of it."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, Exception) and any(words in str(error).lower() for words in _NO_MEMORY)


def explanation(error: BaseException) -> str | None:
    """One line on a fault of the machine (memory, disk, rights, a library); None for any other exception."""
    if isinstance(error, BenchError):
        return str(error)
    cause = " ".join(str(error).split())
    if is_memory(error):
        tried = f": {cause[:_SHOWN]}" if cause else ""
        return f"There is not enough memory{tried}. Give a smaller --batch-size or fewer --threads, or free memory."
    if isinstance(error, ImportError) and "cannot open shared object file" in cause:
        return (
            f"A library of the system is missing: {cause}. Install it (libGL.so.1: apt-get install libgl1), or OpenCV "
            f"without windows: pip uninstall opencv-python, then {pip_install('opencv-python-headless')}."
        )
    if isinstance(error, UnicodeEncodeError) and any("\ud800" <= letter <= "\udfff" for letter in error.object):
        part = one_line(error.object[max(error.start - _AROUND, 0) : error.end + _AROUND])
        return f"A name that is no UTF-8 text cannot be used here: {part}. Give the file another name."
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        what = "The disk is full" if error.errno in _FULL else error.strerror or cause or type(error).__name__
        return f"{what}{place}. What was finished before is kept."
    return None
