"""DR-GAN as a hallucinator: a frontaliser for faces of any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.align.template import TRUTH_FRAME
from bench.errors import DataError, UsageError
from bench.types import ImageSpec
from hallucinators.drgan.presets import POSES_DEG
from hallucinators.networks.hallucinator import OneFileHallucinator
from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.shipped import shipped_name
from hallucinators.networks.weight_file import Facts

if TYPE_CHECKING:
    from torch import Tensor, nn

DEPARTURES: tuple[str, ...] = (
    "squared errors of pixels to the frontal truth, and for a quarter of the faces to the turned face itself, beside "
    "the paper's losses: the pairs exist, and every other baseline is trained with them",
    "two stages: pixels alone, then discriminator, identity and pose, with a weight of 0.001 each; the paper has only "
    "these, from the start",
    "one network for both orders of a chain: trained on sharp upright, reduced upright and unaligned LR faces in turn",
    "real and generated faces pass the discriminator as one batch: with batch norm over each alone it is not trained",
    "single image, no fusion of several; no random 96 x 96 crops, but small random similarities of upright faces",
    "compact preset: fewer channels and layers, strides in the first convolutions, bilinear interpolation in place of "
    "the last two transposed convolutions, 9 pose bins (the yaws of our views) in place of 13, 16 noise numbers in "
    "place of 50",
    "compact preset: in place of a class for each of thousands of people with one photograph each, identities are "
    "classified among the people of the batch, by the cosine to features of the frontal truths",
    "paper preset: classes are indices in the pack modulo the number of people",
    "compact preset: Adam at 0.001 (the generator beside its discriminator 0.0005) in place of 0.0002",
)
PAPER_PARAMETERS = 10_147_008
"""Of the generator in the paper preset, 13 poses and 50 noise numbers."""


@register_method(
    "drgan",
    summary="DR-GAN: a code without pose, decoded in a given pose (frontal by default). Any size, which it keeps.",
    source="Tran, Yin, Liu 2017, Disentangled representation learning GAN for pose-invariant face recognition (CVPR); "
    "trained anew, see the weights' card",
    sizes="any, given back; 96 x 96 inside",
    aligned="by itself; upright and frontal",
    paper_parameters=f"{PAPER_PARAMETERS:,}",
    departures=DEPARTURES,
    files=(shipped_name("drgan", 0),),
    trainer=Trainer(module="hallucinators.drgan.training", any_size=True),
)
class DrGanHallucinator(OneFileHallucinator):
    """Works on 96 x 96 pixels; the output has the size of the input."""

    network = "drgan"
    output_spec = ImageSpec(scale=1)

    def __init__(
        self,
        *,
        pose: int = 0,
        noise: Literal["zero", "random"] = "zero",
        seed: int = 0,
        weights: Path | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the weights.

        Args:
            pose: target yaw in degrees, one of the network's bins; 0 is frontal.
            noise: the decoder's noise vector: zeros, or random by the seed, the same for every face.
            seed: of the noise.
            weights: a file of `bench train drgan`; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            UsageError: a pose that is not a bin, or a negative seed.
            MissingError: there are no weights.
            DataError: they are damaged, or of another network.
        """
        super().__init__(lr=0, weights=weights, device=device, threads=threads)
        if self._facts.preset not in POSES_DEG:
            raise DataError(
                f"The weights {self.weights[0].name} have an unknown preset of drgan: {self._facts.preset!r}."
            )
        bins = POSES_DEG[self._facts.preset]
        if pose not in bins:
            raise UsageError(f"drgan: pose is {pose} degrees; its bins are {', '.join(map(str, bins))}")
        if seed < 0:
            raise UsageError(f"drgan: seed is {seed}; it must not be negative")
        self._pose, self._noise, self._seed = bins.index(pose), noise, seed
        self.output_frame = None if pose else TRUTH_FRAME  # turned faces have their eyes elsewhere

    def build(self, facts: Facts) -> nn.Module:
        """The generator."""
        from hallucinators.drgan.network import DrGan

        return DrGan(facts.preset)

    def run(self, network: nn.Module, faces: Tensor) -> Tensor:
        """Turn float32 (N, 3, h, w) in [0, 1] to the pose; the same size."""
        import torch

        from hallucinators.drgan.network import SIDE, DrGan, resized

        assert isinstance(network, DrGan)  # noqa: S101
        draw = torch.zeros(1, network.noise)
        if self._noise == "random":
            draw = 2 * torch.rand(draw.shape, generator=torch.Generator().manual_seed(self._seed)) - 1
        pose = torch.full((len(faces),), self._pose, device=faces.device)
        turned = network(resized(faces, (SIDE, SIDE)), pose, draw.expand(len(faces), -1).to(faces))
        return resized(turned, (faces.shape[2], faces.shape[3]))
