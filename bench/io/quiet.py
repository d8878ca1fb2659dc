"""Messages of libraries on standard error: disabled by settings where possible, else filtered by line."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SETTINGS = {
    "GLOG_minloglevel": "2",
    "OPENCV_FFMPEG_LOGLEVEL": "8",  # fatal only; a frame that cannot be decoded is a counted failure
    "OPENCV_LOG_LEVEL": "ERROR",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_INFORMATION = re.compile(rb"^(INFO: |I0000 |WARNING: All log messages before absl|.*\[[IVW]:onnxruntime)")


def silence_libraries() -> None:
    """Set libraries to print errors only, unless the user has set their verbosity; Python warns in one line."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    warnings.formatwarning = _one_line


@contextmanager
def drop_library_messages() -> Iterator[None]:
    """Drop information lines that compiled code writes to standard error inside the block.

    For libraries without such a setting. All other lines are written when the block ends.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    with tempfile.TemporaryFile() as lines:
        os.dup2(lines.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            lines.seek(0)
            other_lines = b"".join(line for line in lines if not _INFORMATION.match(line))
            if other_lines:
                with suppress(OSError):  # a full or closed standard error is ignored
                    os.write(2, other_lines)


def _one_line(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """A Python warning in one line, so that progress stays readable."""
    return f"warning ({category.__name__}, {os.path.basename(filename)}:{lineno}): {' '.join(str(message).split())}\n"
