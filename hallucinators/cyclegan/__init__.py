"""CycleGAN as a chain step: hallucinated faces to the appearance of gallery faces, or the reverse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import TRUTH_FRAME
from bench.types import ImageSpec
from hallucinators.networks.hallucinator import OneFileHallucinator
from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.shipped import shipped_name
from hallucinators.networks.weight_file import Facts

if TYPE_CHECKING:
    from torch import Tensor, nn

DEPARTURES: tuple[str, ...] = (
    "compact preset: ResNet-3 that begins with stride 2, adds a residual to its input, has one instance norm a block "
    "and bilinear interpolation in place of transposed convolutions; a narrow PatchGAN",
    "compact preset: errors of cycle and identity below 0.1 grow with their square, since a residual network otherwise "
    "keeps returning its input",
    "batches of faces, half hallucinated and half of the gallery, in place of single faces; no random crops",
    "compact preset: Adam at 0.0005 in place of 0.0002",
    "rates fall by a half cosine in place of a line; averaged weights are used",
    "the direction is an argument, since VividGAN's paper does not say which it applies",
)
PAPER_PARAMETERS = 7_837_699
"""Of each generator in the paper preset (ResNet-6, for 128 pixels); 11,378,179 in paper-9 (ResNet-9)."""


@register_method(
    "cyclegan",
    summary="CycleGAN between hallucinated and gallery faces: a last step of 128 x 128, as in vividgan-flow+cyclegan.",
    source="Zhu, Park, Isola, Efros 2017, Unpaired image-to-image translation (ICCV); trained anew, see the weights' "
    "card",
    sizes="128 x 128, given back",
    aligned="no; it changes the appearance of faces, not their position",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    files=(shipped_name("cyclegan", 0),),
    trainer=Trainer(module="hallucinators.cyclegan.training", any_size=True),
)
class CycleGanHallucinator(OneFileHallucinator):
    """Adapts faces of 128 pixels.

    Weights are trained on the faces of one hallucinator, which is in their header (``of``) and on their card. They run
    behind other hallucinators too, but were not trained for these.
    """

    network = "cyclegan"
    output_spec = ImageSpec(128)
    input_frame = TRUTH_FRAME

    def __init__(
        self,
        *,
        to: Literal["gallery", "hallucinated"] = "gallery",
        weights: Path | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the weights.

        Args:
            to: target appearance: of gallery faces, or of hallucinated faces.
            weights: a file of `bench train cyclegan`; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there are no weights.
            DataError: they are damaged, or of another network.
        """
        super().__init__(lr=0, weights=weights, device=device, threads=threads)
        self.input_spec = ImageSpec(128)
        self._to = to
        self.trained_of = str(self._facts.trained.get("of", ""))
        """The hallucinator whose faces the weights were trained on; empty if the header has none."""

    def build(self, facts: Facts) -> nn.Module:
        """Both generators."""
        from hallucinators.cyclegan.network import Adapter

        return Adapter(facts.preset)

    def run(self, network: nn.Module, faces: Tensor) -> Tensor:
        """Adapt float32 (N, 3, 128, 128) in [0, 1].

        Raises:
            DataError: the faces have another size.
        """
        adapted: Tensor = getattr(network, f"to_{self._to}")(faces)
        return adapted
