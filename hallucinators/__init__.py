"""Hallucinators shipped with the suite. Importing this package registers them; nothing heavy is imported."""

from hallucinators import bicubic, cbn, cyclegan, drgan, identity, srgan, stn, tann, tdae, waveletsrnet
from hallucinators.external import onnx_file, spandrel_file, torch_file
from hallucinators.hassner import hallucinator as hassner_hallucinator
from hallucinators.vividgan import hallucinator as vividgan_hallucinator

__distribution__ = "face-hallucination-bench"
__all__ = [
    "bicubic",
    "identity",
    "vividgan_hallucinator",
    "hassner_hallucinator",
    "onnx_file",
    "spandrel_file",
    "torch_file",
    "cyclegan",
    "drgan",
    "tann",
    "tdae",
    "srgan",
    "stn",
    "cbn",
    "waveletsrnet",
]
