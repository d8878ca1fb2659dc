"""Runs a TensorFlow Lite network once; started as a process of its own, so that a damaged file ends only that process.

The file's bytes come on standard input. Exit code 0: it ran; 3: LiteRT refused it, and the reason is on standard error.
"""

from __future__ import annotations

import sys
from typing import Any

MEMORY = 16 * 2**30
"""Address space of the process in bytes; a network file has at most 2 GiB."""


def limit_memory() -> None:
    """Limit the address space, and write no core file; does nothing where the system has no such limits."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, hard))


def run_once(model: bytes) -> None:
    """Load a network, run it on zeros and read its outputs."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    network: Any = Interpreter(model_content=model, num_threads=1)
    network.allocate_tensors()
    for detail in network.get_input_details():
        network.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    network.invoke()
    for detail in network.get_output_details():
        network.get_tensor(detail["index"])


if __name__ == "__main__":
    limit_memory()
    try:
        run_once(sys.stdin.buffer.read())
    except Exception as error:  # noqa: BLE001  # any exception is a refusal; what kills the process is seen from outside
        sys.stderr.write(f"\n{type(error).__name__}: {' '.join(str(error).split())}\n")
        sys.exit(3)
