"""The toy that the tests of the loop train."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The module ``toy.py``."""
    spec = importlib.util.spec_from_file_location("training_toy", Path(__file__).parent / "toy.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["training_toy"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lines() -> list[str]:
    """What a run says."""
    return []
