"""Evaluation protocols, one database a file. Importing this package registers them; nothing heavy is imported."""

from protocols import efficiency
from protocols.celeba import protocol as celeba
from protocols.cfp import protocol as cfp
from protocols.dronesurf import protocol as dronesurf
from protocols.expression import protocol as expression
from protocols.ijbc import protocol as ijbc
from protocols.lfw import protocol as lfw
from protocols.mmi import protocol as mmi
from protocols.multipie import protocol as multipie
from protocols.restoration import protocol as restoration
from protocols.tinyface import protocol as tinyface

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
