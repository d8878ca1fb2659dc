"""VividGAN's generator, its variants and its sizes (figure 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from bench.errors import DataError
from hallucinators.networks.presets import refuse_unknown
from hallucinators.vividgan.network.coarse import CoarseNet, CoarseWidths
from hallucinators.vividgan.network.components import (
    COMPONENTS,
    PATCH_SIZES,
    PatchSizes,
    check_sizes,
    crop,
    stitch,
    template_centres,
)
from hallucinators.vividgan.network.fine import FineNet, FineWidths
from hallucinators.vividgan.network.touchup import TouchUp
from hallucinators.vividgan.network.weight_file import Preset


@dataclass(frozen=True)
class Widths:
    """Channels of all networks."""

    coarse: CoarseWidths
    touchup: tuple[int, int, int, int]
    """At full, half, quarter and eighth size of a patch."""
    fine: FineWidths
    hourglasses: int


PRESETS: Mapping[Preset, Widths] = MappingProxyType(
    {
        # Table IV read as float32 kibibytes: 26.5 and 62.0 million parameters for 16 pixels
        "paper": Widths(
            CoarseWidths(encoder=96, code=780, at_16=512, at_32=256, at_64=128, at_128=64),
            (32, 64, 128, 256),
            FineWidths(at_128=64, at_64=128, at_32=256, hourglass=256),
            hourglasses=4,
        ),
        # for training on processors
        "compact": Widths(
            CoarseWidths(encoder=24, code=144, at_16=96, at_32=48, at_64=32, at_128=16),
            (16, 24, 32, 64),
            FineWidths(at_128=16, at_64=32, at_32=64, hourglass=48),
            hourglasses=2,
        ),
    }
)


class Hallucination(NamedTuple):
    """Output of one pass; faces and patches are float32 RGB around [0, 1], not clamped."""

    coarse: Tensor
    """(N, 3, 128, 128)."""
    components: dict[str, Tensor]
    """Patches (N, 3, h, w) by name, touched up or given by the caller; empty without touching-up networks."""
    prior: Tensor
    """(N, 3, 128, 128), zero where no component lies."""
    prior_mask: Tensor
    """(N, 1, 128, 128), one where a component lies."""
    heatmaps: list[Tensor]
    """(N, 68, 32, 32) of every hourglass; empty without the component-aware module."""
    fine: Tensor
    """(N, 3, 128, 128)."""
    centres: Tensor
    """(N, 4, 2), centres of the components, whole pixels."""


class VividGAN(nn.Module):
    """Coarse network, touching-up networks and fine-integration network.

    Variants of the paper: the coarse network alone (Table I, dagger) is ``self.coarse``; ``touchup=False`` is V-TN
    (section IV: the prior stays empty); components given to ``forward`` make V+GT; ``component_aware=False`` is
    figure 6f.
    """

    def __init__(
        self,
        *,
        lr: int,
        preset: Preset = "paper",
        widths: Widths | None = None,
        touchup: bool = True,
        component_aware: bool = True,
        carry: bool = True,
        patch_sizes: PatchSizes = PATCH_SIZES,
        coarse: nn.Module | None = None,
    ) -> None:
        """Build the networks.

        Args:
            lr: height and width of the tiny faces in pixels, 16 or 32.
            preset: sizes by name.
            widths: sizes in place of those of the preset.
            touchup: False leaves out the touching-up networks.
            component_aware: False leaves out hourglasses and integration block.
            carry: whether the coarse network adds to the aligned LR image, see `CoarseNet`.
            patch_sizes: width and height by component; multiples of 8.
            coarse: another coarse network in place of the paper's: LR faces to coarse faces (N, 3, 128, 128), or to a
                result with the attribute ``coarse``.

        Raises:
            UsageError: an unknown preset or size.
        """
        super().__init__()
        refuse_unknown("vividgan", preset, PRESETS)
        check_sizes(patch_sizes)
        chosen = widths or PRESETS[preset]
        self.patch_sizes = dict(patch_sizes)
        self.coarse = coarse or CoarseNet(lr=lr, widths=chosen.coarse, carry=carry)
        self.touchup = TouchUp(chosen.touchup) if touchup else None
        self.fine = FineNet(chosen.fine, hourglasses=chosen.hourglasses, component_aware=component_aware)
        self.register_buffer("_template", template_centres(), persistent=False)

    def forward(
        self, lr: Tensor, *, components: Mapping[str, Tensor] | None = None, centres: Tensor | None = None
    ) -> Hallucination:
        """Hallucinate tiny faces.

        Args:
            lr: (N, 3, s, s) RGB in [0, 1].
            components: patches (N, 3, h, w) by name that replace the touched-up ones.
            centres: centres of the components in the coarse face, (N, 4, 2) xy pixels in the order of COMPONENTS, from
                a landmark detector; None takes those of the template. They are rounded to whole pixels, because
                interpolation in cropping and pasting would blur the prior twice.

        Raises:
            DataError: faces, components or centres of another shape.
        """
        return self.refine(self.preview(lr), components=components, centres=centres)

    def refine(
        self, coarse: Tensor, *, components: Mapping[str, Tensor] | None = None, centres: Tensor | None = None
    ) -> Hallucination:
        """The fine level alone, from coarse faces (N, 3, 128, 128); arguments as in `forward`."""
        if centres is None:
            centres = self.get_buffer("_template").expand(coarse.shape[0], -1, -1)
        centres = centres.float().round()
        if components is not None:
            patches = self._check_components(components)
        elif self.touchup is not None:
            patches = self.touchup(crop(coarse, centres, self.patch_sizes))
        else:
            patches = {}
        if patches:
            prior, mask = stitch(patches, centres, side=coarse.shape[-1])
        else:
            prior, mask = torch.zeros_like(coarse), torch.zeros_like(coarse[:, :1])
        fine, heatmaps = self.fine(coarse, prior)
        return Hallucination(coarse, patches, prior, mask, heatmaps, fine, centres)

    def locate(self, lr: Tensor) -> tuple[Tensor, Tensor]:
        """The coarse face, and its location: float32 (N, 2, 3) from the frontal frame to the LR image in [-1, 1]."""
        result: tuple[Tensor, Tensor] = self.coarse.locate(lr)  # type: ignore[operator]  # both coarse networks have it
        return result

    def preview(self, lr: Tensor) -> Tensor:
        """The coarse face alone, (N, 3, 128, 128) (VividGAN-dagger of Table I)."""
        result = self.coarse(lr)
        preview: Tensor = result if isinstance(result, Tensor) else result.coarse
        return preview

    def _check_components(self, components: Mapping[str, Tensor]) -> dict[str, Tensor]:
        for name in COMPONENTS:
            wide, high = self.patch_sizes[name]
            if name not in components or components[name].shape[1:] != (3, high, wide):
                shape = tuple(components[name].shape) if name in components else "nothing"
                raise DataError(f"VividGAN: component {name} must be (N, 3, {high}, {wide}), given {shape}")
        return {name: components[name] for name in COMPONENTS}
