"""Which files of the tree one probe passes: ``python benchmarks/probe_files.py [ARGUMENTS OF bench run]``.

By default it runs `bench run` on one probe of the TinyFace sample, without the cache. It lists every file of the tree
in which a function ran, in the order of its first call. Imports (module bodies, and all that runs inside them) are left
out.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("bench", "hallucinators", "protocols", "reports")


class FileTrace:
    """A profile function that notes the files of called functions, by room and path, in the order of first calls."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self._inside = threading.local()  # how many module bodies are running in this thread

    def __call__(self, frame: FrameType, event: str, _arg: Any) -> None:
        """Take an event of `sys.setprofile`."""
        if event not in ("call", "return"):
            return
        importing = getattr(self._inside, "count", 0)
        if frame.f_code.co_name == "<module>":
            self._inside.count = importing + (1 if event == "call" else -1)
        elif event == "call" and not importing:
            path = frame.f_code.co_filename
            if path.startswith(f"{ROOT}/"):
                name = path[len(f"{ROOT}/") :]
                if name.split("/")[0] in ROOMS:
                    self.files.setdefault(name)


def trace_run(arguments: list[str]) -> list[str]:
    """The files that ``bench run`` with these arguments passes, relative to the tree.

    Raises:
        SystemExit: the run failed.
    """
    from bench.__main__ import main

    trace = FileTrace()
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        status = main(["run", *arguments])
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]  # typeshed: None is not declared
    if status:
        raise SystemExit(status)
    return list(trace.files)


def main(arguments: list[str]) -> None:
    """Trace a run and print its files."""
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        given = arguments or ["--protocol", "tinyface", "--hallucinator", "vividgan-flow", "--limit", "1"]
        files = trace_run([*given, "--out", f"{folder}/run", "--no-cache"])
    for name in files:
        print(name)
    print(f"{len(files)} files: " + ", ".join(f"{sum(f.startswith(r + '/') for f in files)} in {r}" for r in ROOMS))


if __name__ == "__main__":
    main(sys.argv[1:])
