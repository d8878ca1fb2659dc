"""Hallucinators shipped with the suite. Importing this package registers them; nothing heavy is imported."""

from hallucinators import bicubic, identity

__all__ = ["bicubic", "identity"]
