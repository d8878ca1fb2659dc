"""Aligners: image to chip. Importing this package registers them; nothing heavy is imported."""

from bench.align import none

__all__ = ["none"]
