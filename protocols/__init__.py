"""Evaluation protocols, one database a file. Importing this package registers them; nothing heavy is imported."""

from protocols import tinyface

__all__ = ["tinyface"]
