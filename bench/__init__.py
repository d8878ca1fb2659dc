"""Recognition via hallucination, measured.

The Python interface is `run`, `compare`, `evaluate`, `hallucinate` and `list`, with the types that they return; see
``docs/python.md``. Each name is imported at its first use: ``import bench`` takes milliseconds, and the modules of the
package, which all import it, do not import the interface with it. ``__init__.pyi`` has the types of the names.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_MODULES = {
    "Comparison": "bench.api.comparison",
    "Evaluation": "bench.api.arrays",
    "Figure": "bench.results",
    "HallucinatedFace": "bench.api.faces",
    "Run": "bench.api.runs",
    "RunOptions": "bench.api.runs",
    "BenchError": "bench.errors",
    "ContractError": "bench.errors",
    "DataError": "bench.errors",
    "MissingError": "bench.errors",
    "UsageError": "bench.errors",
    "compare": "bench.api.comparison",
    "evaluate": "bench.api.arrays",
    "hallucinate": "bench.api.faces",
    "list": "bench.api.components:list_components",
    "run": "bench.api.runs",
}
"""The module of each name of the interface, and the name there where it differs."""

__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    module, _, other = _MODULES[name].partition(":")
    value = getattr(importlib.import_module(module), other or name)
    globals()[name] = value
    return value


def __dir__() -> Any:
    return sorted({*globals(), *_MODULES})
