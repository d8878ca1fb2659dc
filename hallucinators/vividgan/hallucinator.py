"""The hallucinators ``vividgan``, after the paper, and ``vividgan-flow``, whose coarse network warps by flows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.types import ImageSpec
from hallucinators.networks.registration import Trainer, register_method
from hallucinators.networks.shipped import SHIPPED, shipped_name
from hallucinators.vividgan import departures
from hallucinators.vividgan.inference import Framing, Output, Points, VividHallucinator, for_recognisers
from hallucinators.vividgan.network.weight_file import read_facts

if TYPE_CHECKING:
    from hallucinators.vividgan.network.model import VividGAN

_FLOW_FILE = shipped_name("vividgan-flow", 0)
_RECIPE = "hallucinators.vividgan.training.recipe"


@register_method(
    "vividgan",
    summary="VividGAN: coarse frontal face, touched-up components, fine integration. 16 x 16 or 32 x 32 to 128 x 128.",
    source="Zhang et al. 2021, Face hallucination with finishing touches (TIP 30); trained anew, see the weights' card",
    sizes="up to 16 x 16 (8x) and up to 32 x 32 (4x), larger ones are shrunk, to 128 x 128",
    aligned="by itself; upright and frontal",
    paper_parameters=departures.PAPER_PARAMETERS,
    departures=departures.VIVIDGAN,
    needs=(shipped_name("vividgan", 16), shipped_name("vividgan", 32)),
    trainer=Trainer(module=_RECIPE, baseline=False),
)
class VividGanHallucinator(VividHallucinator):
    """Faithful to the paper: spatial transformers, deconvolutions, component prior, heatmaps, integration."""

    network = "vividgan"

    def __init__(
        self,
        *,
        size: Literal[16, 32] | None = None,
        output: Output = "fine",
        landmarks: Points = "auto",
        frame: Framing = "auto",
        show_through: float = 0.5,
        weights: Path | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the weights.

        Args:
            size: side of the LR face; other images are resized to it first (16 is 8x, 32 is 4x). By default images of
                up to 16 pixels are resized to 16 and larger ones to 32; with ``weights``, to the side of the file.
            output: the final face, or the coarse one (VividGAN-dagger of the paper).
            landmarks: positions of the components: from landmarks of the face engine in the coarse face (``engine``),
                from the template (``template``), or the first if it is installed (``auto``).
            frame: frame of the face in the output. ``utkface200``: the face fills the image, as the true faces of the
                training. Any other frame by name (``arcface112``, ``dlib150``...): the face with its surroundings,
                from the aligned LR image. ``lr``: frontal, at its position in the LR image. ``auto``: a run selects the
                frame by the recogniser; outside a run it is ``utkface200``.
            show_through: share of the LR image in the face, 0 to 1, in the chips of recognisers and in ``lr``; other
                frames show none of it. 0 is the paper's output.
            weights: a file of `bench train vividgan`; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.

        Raises:
            MissingError: there are no weights, or the engine is not installed.
            DataError: the weights are of another network or size, damaged, or hold only the coarse network.
        """
        if weights is not None:
            # A missing file is refused by name in the base class.
            side = size or (read_facts(weights).lr if weights.is_file() else 16)
            files = {side: weights}
        else:
            files = {side: SHIPPED / shipped_name("vividgan", side) for side in ((size,) if size else (16, 32))}
        self.input_spec = ImageSpec(next(iter(files))) if len(files) == 1 else ImageSpec(largest=32)
        super().__init__(
            files=files,
            output=output,
            landmarks=landmarks,
            frame=frame,
            show_through=show_through,
            device=device,
            threads=threads,
        )


@register_method(
    "vividgan-flow",
    summary="VividGAN whose coarse network warps the LR image to the frontal face by flows; 12 to 36 px to 128 x 128.",
    source="the system of Zhang et al. 2021 on a coarse network of our own (appearance flow, soft symmetry)",
    sizes="up to 32 x 32, larger ones are shrunk, to 128 x 128",
    aligned="by itself; upright and frontal",
    paper_parameters="none: a network of our own",
    departures=departures.FLOW,
    files=(_FLOW_FILE,),
    trainer=Trainer(module=_RECIPE, baseline=False),
)
class VividGanFlow(VividHallucinator):
    """One network for all small sizes: images of up to 16 pixels are resized to 16, larger ones to 32.

    The default output is the coarse face: with the shipped weights its recognition and its distance to the truth are
    those of the final face, in a third of the time (see the weights' card).
    """

    network = "vividgan-flow"
    input_spec = ImageSpec(largest=32)
    one_for_all_sides = True

    def __init__(
        self,
        *,
        output: Output = "coarse",
        landmarks: Points = "auto",
        frame: Framing = "auto",
        frontalise: Literal["auto", "always", "far"] = "auto",
        show_through: float = 0.0,
        weights: Path | None = None,
        device: str = "cpu",
        threads: int = 0,
    ) -> None:
        """Find the weights; the other arguments are those of ``vividgan``.

        Args:
            output: the coarse face, or the final one.
            landmarks: positions of the components: from landmarks of the face engine in the coarse face (``engine``),
                from the template (``template``), or the first if it is installed (``auto``).
            frame: frame of the face in the output. ``utkface200``: the face fills the image. Any other frame by name
                (``arcface112``, ``dlib150``...): the face with its surroundings. ``lr``: at its position in the LR
                image. ``auto``: a run selects the frame by the recogniser; outside a run it is ``utkface200``.
            frontalise: which heads are frontalised: all (``always``), or those turned by more than about 30 degrees
                (``far``), while the others keep their pose, since their recognition is better so. ``auto`` takes
                ``far`` in the chips of recognisers and in ``lr``, ``always`` in all other frames.
            show_through: share of the LR image in the face, 0 to 1, in the chips of recognisers and in ``lr``; other
                frames show none of it.
            weights: a file of `bench train vividgan-flow`; by default the one that is shipped.
            device: where the network computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``auto``.
            threads: processor threads; 0 leaves torch's own choice.
        """
        self._far = frontalise == "far" or (frontalise == "auto" and for_recognisers(frame))
        super().__init__(
            files=dict.fromkeys((16, 32), weights or SHIPPED / _FLOW_FILE),
            output=output,
            landmarks=landmarks,
            frame=frame,
            show_through=show_through,
            device=device,
            threads=threads,
        )

    def _set_up(self, model: VividGAN) -> None:
        from hallucinators.vividgan.network import flow, turn_limits

        assert isinstance(model.coarse, flow.FlowCoarseNet)  # noqa: S101  # what a file of this network builds
        model.coarse.limits = turn_limits.FAR if self._far else turn_limits.ALWAYS
