"""Fixtures of the protocols' tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def root(small_tinyface: Path, tmp_path: Path) -> Path:
    """A copy of the drawn TinyFace that a test may break."""
    copy = tmp_path / "tinyface"
    shutil.copytree(small_tinyface, copy)
    return copy
