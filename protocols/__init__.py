"""Evaluation protocols, one database a file. Importing this package registers them; nothing heavy is imported."""

from protocols import celeba, cfp, dronesurf, efficiency, expression, ijbc, lfw, mmi, multipie, restoration, tinyface

__distribution__ = "face-hallucination-bench"
__all__ = [
    "celeba",
    "cfp",
    "dronesurf",
    "efficiency",
    "expression",
    "ijbc",
    "lfw",
    "mmi",
    "multipie",
    "restoration",
    "tinyface",
]
