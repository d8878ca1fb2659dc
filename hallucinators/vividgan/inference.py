"""What the two VividGANs have in common as hallucinators: one pass, its images, and how each face fared."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bench.align.template import CHIPS, TRUTH_FRAME, AnyFrame
from bench.devices import cpu_threads, resolve_device, torch_threads
from bench.errors import MissingError, UsageError, pip_install
from bench.faces.landmarks.bundle import engine_is_here, find_bundle
from bench.images import resize_float, to_bytes
from bench.interfaces import FloatImages, Hallucinator
from bench.types import OK, ImageSpec, Outcome
from bench.weights import unchanged_weights, weights_file
from hallucinators.vividgan.network.weight_file import check_header

if TYPE_CHECKING:
    from hallucinators.vividgan.network.model import VividGAN
    from hallucinators.vividgan.network.weight_file import Facts, Network
    from hallucinators.vividgan.onnx_export import Exported

Output = Literal["fine", "coarse"]
Points = Literal["auto", "engine", "template"]
Framing = Literal["auto", AnyFrame, "lr"]

HOW_TO_GET = (
    "They come with the package; or train your own (bench train --help) and name the file: {network}:weights=FILE."
)
_AT_ONCE = 32
"""Faces a pass on accelerators. Processors take them one by one, which costs nothing there (convolutions of 128 x 128)
and keeps them apart to the last bit: else a face's place in a batch could move its components by a pixel."""
_FALLBACK = Outcome("fallback", "hallucinate", "face not found in the coarse image: components from template positions")
_NOT_FINITE = Outcome("failed", "hallucinate", "input not finite")


@dataclass(frozen=True)
class Stages:
    """All images of one pass, float32 RGB (N, 3, 128, 128) in [0, 1].

    Attributes:
        lr: what the network was given: the faces brought to its size, (N, 3, s, s).
        coarse: the preview.
        prior: the touched-up components on their template, black elsewhere; None where the network has none.
        fine: the final face; None where only the coarse network was run.
        outcomes: how each face fared.
        similarity: where each face is in ``lr``: float32 (N, 2, 3), from the frontal frame, places from -1 to 1.
    """

    lr: FloatImages
    coarse: FloatImages
    prior: FloatImages | None
    fine: FloatImages | None
    outcomes: list[Outcome]
    similarity: NDArray[np.float32]


class Vivid(Hallucinator):
    """What both have in common."""

    output_spec = ImageSpec(128)
    network: ClassVar[Network]
    one_for_all_sides: ClassVar[bool] = False
    """Whether a weight file serves every side, which its header then says."""
    kept: ClassVar[float] = 1.0
    """Share of a face that is kept where it is laid over the LR picture, in the frames for recognisers."""

    def __init__(
        self,
        *,
        files: Mapping[int, Path],
        output: Output,
        landmarks: Points,
        frame: Framing,
        device: str,
        threads: int,
    ) -> None:
        """Find the weights.

        Args:
            files: the weights for each side that faces may be brought to; a face takes the smallest side it fits in, a
                larger one the largest.
            output: see ``VividGanHallucinator``, as for the others.
            landmarks: the same.
            frame: the same.
            device: the same.
            threads: the same.
        """
        self._frame: AnyFrame | Literal["lr"] = TRUTH_FRAME if frame == "auto" else frame
        self.output_frame = "" if frame == "lr" else self._frame  # where it was: landmarks of the LR face still fit
        self._files = {side: files[side] for side in sorted(files)}
        who, how = f"Hallucinator {self.network}", HOW_TO_GET.format(network=self.network)
        sides = {path: side for side, path in self._files.items()}  # one file may serve several
        self.weights = tuple(weights_file(path, wanted_by=who, how_to_get=how) for path in sides)
        for path, side in sides.items():
            check_header(path, self.network, self._lr_of(side), fine=output == "fine")
        self._output, self._device, self._threads = output, device, threads
        self._models: dict[Path, VividGAN] = {}
        self._bundle: Path | None = None
        self._one_at_a_time = Lock()
        if output == "fine" and landmarks != "template" and (landmarks == "engine" or engine_is_here()):
            self._bundle = find_bundle()
            if not engine_is_here():
                raise MissingError(
                    f"{who}: landmarks=engine needs the package ai-edge-litert: {pip_install('ai-edge-litert')}; "
                    "or take landmarks=template."
                )
            self.weights += (weights_file(self._bundle, wanted_by=who, how_to_get=""),)

    def hallucinate(self, lr: FloatImages) -> FloatImages:
        """Hallucinate float32 (N, 3, h, w) in [0, 1] as float32 (N, 3, 128, 128), frontal and upright."""
        return self.hallucinate_counted(lr)[0]

    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """The same, and how each face fared: components whose place was not found stand where they usually do."""
        found = self.stages(lr)
        return self.in_frame(found), found.outcomes

    def in_frame(self, found: Stages) -> FloatImages:
        """The faces of a pass, in the frame they are asked in: with their surroundings where it is wider."""
        faces = found.coarse if found.fine is None else found.fine
        if self._frame == TRUTH_FRAME:
            return faces
        import torch

        from hallucinators.vividgan.compositing import framed

        face, lr, similarity = (torch.from_numpy(part) for part in (faces, found.lr, found.similarity))
        with torch_threads(self._threads):
            kept = self.kept if for_recognisers(self._frame) else 1.0
            return _to_numpy(framed(face, lr, similarity, self._frame, kept=kept))

    def stages(self, lr: FloatImages) -> Stages:
        """All images of one pass.

        Args:
            lr: RGB in [0, 1], float32 (N, 3, h, w), N >= 1; another size than the network's is resized (bicubic).

        Raises:
            UsageError: no RGB batch, or an empty one.
        """
        if lr.ndim != 4 or lr.shape[1] != 3 or not len(lr) or min(lr.shape[2:]) < 2:
            raise UsageError(
                f"{self.network} takes RGB faces (N, 3, h, w), N of 1 or more, not {lr.shape}. Grey images are "
                "repeated to three channels and alpha is dropped by bench.images.decode."
            )
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(lr).all(axis=(1, 2, 3)))
        safe = np.where(finite[:, None, None, None], lr, np.float32(0)).clip(0, 1)
        side = next((side for side in self._files if max(lr.shape[2:]) <= side), max(self._files))
        model = self._model(side)
        sized = resize_float(safe, side, side).clip(0, 1)
        step = 1 if self._device == "cpu" else _AT_ONCE
        parts = self._passes(model, [sized[i : i + step] for i in range(0, len(sized), step)])
        outcomes = [outcome for part in parts for outcome in part.outcomes]
        outcomes = [outcome if good else _NOT_FINITE for outcome, good in zip(outcomes, finite, strict=True)]
        return Stages(
            sized,
            np.concatenate([part.coarse for part in parts]),
            _joined([part.prior for part in parts]),
            _joined([part.fine for part in parts]),
            outcomes,
            np.concatenate([part.similarity for part in parts]),
        )

    def export_onnx(self, out: Path, *, licence: str = "") -> Exported:
        """Write the network as an ONNX file that was compared with this one; see `onnx_export.export_onnx`.

        Raises:
            UsageError: it has a network for each size, and none was chosen.
        """
        if len(set(self._files.values())) > 1:
            sizes = " or ".join(f"{self.network}:size={side}" for side in self._files)
            raise UsageError(f"{self.network} has a network for each size, and a file holds one; say {sizes}.")
        from hallucinators.vividgan.onnx_export import export_onnx

        model, facts = self._loaded(next(iter(self._files)))
        facts = replace(facts, fine=self._output == "fine")
        return export_onnx(model, facts, out, weights_sha256=self.weights[0].sha256, licence=licence)

    def _passes(self, model: VividGAN, parts: list[FloatImages]) -> list[Stages]:
        """On processors as many at once as there are threads, and one thread each.

        Two faces side by side take 35 ms each on two cores, where one after the other by both took 51; and what comes
        out does not depend on how many threads there are.
        """
        if self._device != "cpu":
            return [self._pass(model, part) for part in parts]
        at_once = min(len(parts), cpu_threads(self._threads))
        with torch_threads(1), ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda part: self._pass(model, part), parts))

    def _pass(self, model: VividGAN, lr: FloatImages) -> Stages:
        import torch

        faces = torch.from_numpy(np.ascontiguousarray(lr)).to(self._device)
        with torch.inference_mode():
            coarse, similarity = model.located(faces)
            preview, where = _to_numpy(coarse), similarity.float().cpu().numpy()
            if self._output == "coarse":
                return Stages(lr, preview, None, None, [OK] * len(lr), where)
            centres, outcomes = self._centres(preview) if model.touchup is not None else (None, [OK] * len(lr))
            found = model.refine(coarse, centres=None if centres is None else torch.from_numpy(centres).to(coarse))
        prior = _to_numpy(found.prior) if model.touchup is not None else None
        return Stages(lr, preview, prior, _to_numpy(found.fine), outcomes, where)

    def _centres(self, preview: FloatImages) -> tuple[NDArray[np.float32] | None, list[Outcome]]:
        """Where the components of each preview are (N, 4, 2), from its five points; the usual places else."""
        import torch

        from bench.faces.landmarks.points import five_points
        from hallucinators.vividgan.network.components import centres_from_five, template_centres

        if self._bundle is None:
            return None, [OK] * len(preview)
        places = np.repeat(template_centres().numpy()[None], len(preview), axis=0)
        outcomes = [OK] * len(preview)
        with self._one_at_a_time:  # its networks hold what they compute on
            points = self._landmarker.find(list(to_bytes(preview)))
        for row, found in enumerate(points):
            if found is None:
                outcomes[row] = _FALLBACK
                continue
            places[row] = centres_from_five(torch.from_numpy(five_points(found.points))[None])[0].numpy()
        return places, outcomes

    def _lr_of(self, side: int) -> int:
        """What the header of the weights for a side says; 0 for one network of all sides."""
        return 0 if self.one_for_all_sides else side

    def _model(self, side: int) -> VividGAN:
        """The network for a side, loaded when it is first asked for."""
        path = self._files[side]
        if path in self._models:
            return self._models[path]

        self._device = resolve_device(self._device)
        self._models[path] = self._loaded(side)[0].to(self._device)
        return self._models[path]

    def _loaded(self, side: int) -> tuple[VividGAN, Facts]:
        """The network for a side, new and set up, and what its file says of it."""
        from hallucinators.vividgan.network.loading import load_weights

        path = self._files[side]
        sha256 = next(file.sha256 for file in self.weights if file.path == path)
        model, facts = load_weights(path, network=self.network, lr=self._lr_of(side), sha256=sha256)
        self._set_up(model)
        return model, facts

    def _set_up(self, model: VividGAN) -> None:
        """Tell a loaded network what it is to do besides its weights; nothing here."""

    @cached_property
    def _landmarker(self) -> Any:
        from bench.faces.landmarks.mediapipe import FaceLandmarker

        with unchanged_weights(*(file for file in self.weights if file.path == self._bundle)):
            return FaceLandmarker(self._bundle)


def for_recognisers(frame: Framing) -> bool:
    """Whether recognisers look at a frame, and not at the true faces of a data set."""
    return frame == "lr" or frame in CHIPS


def _joined(parts: list[FloatImages | None]) -> FloatImages | None:
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None


def _to_numpy(images: Any) -> FloatImages:
    values: FloatImages = images.float().clamp(0, 1).cpu().numpy()
    return values
