"""Pose bins of DR-GAN's presets, for those who load no torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

POSES_DEG: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"paper": tuple(range(-90, 91, 15)), "compact": (-75, -55, -40, -22, 0, 22, 40, 55, 75)}
)
"""Yaws of the pose bins by preset, degrees: Multi-PIE's 13, and the yaws of our views."""
