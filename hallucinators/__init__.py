"""Hallucinators shipped with the suite. Importing this package registers them; nothing heavy is imported."""

from hallucinators import bicubic, identity
from hallucinators.vividgan import hallucinator

__all__ = ["bicubic", "identity", "hallucinator"]
