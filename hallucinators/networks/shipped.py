"""Where the weight files lie that come with the package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent.parent / "weights"
