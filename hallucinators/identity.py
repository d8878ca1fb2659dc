"""The low-resolution face itself, the reference of every comparison."""

from __future__ import annotations

from bench.interfaces import HALLUCINATORS, FloatImages, Hallucinator


@HALLUCINATORS.register(
    "none",
    summary="The low-resolution face itself, untouched: the paper's 'LR face' row.",
    source="no learned parameters",
    licence="Apache-2.0",
)
class Identity(Hallucinator):
    """Returns its input."""

    passthrough = True

    def __init__(self) -> None:
        pass

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Return ``lr`` itself; float32 (N, 3, h, w) in, the same array out."""
        return lr
