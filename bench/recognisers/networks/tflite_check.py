"""Refuses a TensorFlow Lite file that is damaged, or that LiteRT cannot run, before this process opens it."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

from bench.errors import DataError, MissingError, one_line, pip_install
from bench.recognisers.networks import tflite_trial

_IDENTIFIER = b"TFL3"
_MOST_BYTES = 2**31 - 1  # offsets of the format are signed 32-bit numbers
_TRIAL_S = 120  # of the process that runs a file once; it takes about one second
_runs_here: set[str] = set()  # SHA-256 of files that have run


def check_runs(model: bytes, path: Path) -> None:
    """Run a network once in a process of its own, because LiteRT is compiled code that a damaged file may crash.

    The same bytes are run once in the life of this process.

    Args:
        model: the file's bytes.
        path: the file, for errors.

    Raises:
        MissingError: ai-edge-litert is not installed.
        DataError: it is no TensorFlow Lite file, is damaged, or holds what LiteRT cannot run.
    """
    if model[4:8] != _IDENTIFIER or not 8 <= int.from_bytes(model[:4], "little") < len(model) <= _MOST_BYTES:
        raise DataError(f"The weights {path} are no TensorFlow Lite file: the identifier TFL3 is not in its place.")
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise MissingError(f"The recogniser tflite needs ai-edge-litert: {pip_install('ai-edge-litert')}.")
    digest = hashlib.sha256(model).hexdigest()
    if digest in _runs_here:
        return
    code, reason = _try(model, path)
    if code != 0:
        raise DataError(f"The weights {path} are damaged, or hold what LiteRT cannot run: {reason}")
    _runs_here.add(digest)


def _try(model: bytes, path: Path) -> tuple[int, str]:
    """Exit code of the process, and why it did not end with 0."""
    paths = os.pathsep.join(dict.fromkeys(os.path.abspath(part) for part in sys.path))
    try:
        ended = subprocess.run(
            [sys.executable, "-P", str(tflite_trial.__file__)],
            input=model,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
            timeout=_TRIAL_S,
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"The weights {path} are refused: one image took more than {_TRIAL_S} seconds.") from None
    if ended.returncode < 0:
        return ended.returncode, f"the process that ran them was ended ({signal.strsignal(-ended.returncode)})"
    lines = [line for line in ended.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return ended.returncode, one_line(lines[-1] if lines else f"exit code {ended.returncode}")
