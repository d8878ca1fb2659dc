"""Evaluation protocols, one database a folder. Importing this package registers them; nothing heavy is imported.

May import `bench`; never `hallucinators` or `reports`.
"""

from protocols import efficiency
from protocols.celeba import protocol as celeba_protocol
from protocols.cfp import protocol as cfp_protocol
from protocols.dronesurf import protocol as dronesurf_protocol
from protocols.expression import protocol as expression_protocol
from protocols.ijbc import protocol as ijbc_protocol
from protocols.lfw import protocol as lfw_protocol
from protocols.mmi import protocol as mmi_protocol
from protocols.multipie import protocol as multipie_protocol
from protocols.owndata import pairs as own_pairs_protocol
from protocols.owndata import protocol as owndata_protocol
from protocols.owndata import restored as own_restored_protocol
from protocols.restoration import protocol as restoration_protocol
from protocols.tinyface import protocol as tinyface_protocol

__distribution__ = "face-hallucination-bench"
__all__ = [
    "celeba_protocol",
    "cfp_protocol",
    "dronesurf_protocol",
    "efficiency",
    "expression_protocol",
    "ijbc_protocol",
    "lfw_protocol",
    "mmi_protocol",
    "multipie_protocol",
    "own_pairs_protocol",
    "own_restored_protocol",
    "owndata_protocol",
    "restoration_protocol",
    "tinyface_protocol",
]
