"""Inference of both VividGANs: one pass, its images, and the outcome of each face."""

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
from bench.devices import cpu_threads, torch_threads
from bench.errors import MissingError, UsageError, pip_install
from bench.faces.landmarks.bundle import engine_is_here, find_bundle
from bench.images import to_bytes
from bench.interfaces import FloatImages
from bench.types import OK, Outcome
from bench.weights import unchanged_weights, weights_file
from hallucinators.networks.hallucinator import NetworkHallucinator, mark_failed, resize_clipped
from hallucinators.vividgan.network.weight_file import check_header

if TYPE_CHECKING:
    from hallucinators.vividgan.network.model import VividGAN
    from hallucinators.vividgan.network.weight_file import Facts, Network
    from hallucinators.vividgan.onnx_export import Exported

Output = Literal["fine", "coarse"]
Points = Literal["auto", "engine", "template"]
Framing = Literal["auto", AnyFrame, "lr"]

_FALLBACK = Outcome("fallback", "hallucinate", "face not found in the coarse image: components from template positions")


@dataclass(frozen=True)
class Stages:
    """All images of one pass, float32 RGB (N, 3, 128, 128) in [0, 1].

    Attributes:
        lr: the input of the network: the faces resized to its side, (N, 3, s, s).
        coarse: the coarse face.
        prior: the touched-up components at their positions, black elsewhere; None if the network has none.
        fine: the final face; None if only the coarse network was run.
        outcomes: the outcome of each face.
        similarity: location of each face in ``lr``: float32 (N, 2, 3), from the frontal frame, coordinates in [-1, 1].
    """

    lr: FloatImages
    coarse: FloatImages
    prior: FloatImages | None
    fine: FloatImages | None
    outcomes: list[Outcome]
    similarity: NDArray[np.float32]


class VividHallucinator(NetworkHallucinator):
    """Base of both VividGANs."""

    network: ClassVar[Network]
    one_for_all_sides: ClassVar[bool] = False
    """Whether one weight file serves every side; its header says so."""

    def __init__(
        self,
        *,
        files: Mapping[int, Path],
        output: Output,
        landmarks: Points,
        frame: Framing,
        show_through: float,
        device: str,
        threads: int,
    ) -> None:
        """Find the weights.

        Args:
            files: the weights for each side that faces may be resized to; a face takes the smallest side that is not
                smaller than the face, or else the largest side.
            output: see ``VividGanHallucinator``, as for the other arguments.
            landmarks: the same.
            frame: the same.
            show_through: the same.
            device: the same.
            threads: the same.

        Raises:
            UsageError: ``show_through`` is not in [0, 1].
        """
        super().__init__(device=device, threads=threads)
        if not 0 <= show_through <= 1:
            raise UsageError(f"{self.network}: show_through is {show_through}; it is a share, from 0 to 1.")
        self._show_through = show_through
        self._frame: AnyFrame | Literal["lr"] = TRUTH_FRAME if frame == "auto" else frame
        self.output_frame = "" if frame == "lr" else self._frame  # in lr, landmarks of the LR face stay valid
        self._files = {side: files[side] for side in sorted(files)}
        sides = {path: side for side, path in self._files.items()}  # one file may serve several
        self.weights = tuple(map(self._find_weights, sides))
        for path, side in sides.items():
            check_header(path, self.network, self._lr_of(side), fine=output == "fine")
        self._output = output
        self._models: dict[Path, VividGAN] = {}
        self._bundle: Path | None = None
        self._landmarker_lock = Lock()
        if output == "fine" and landmarks != "template" and (landmarks == "engine" or engine_is_here()):
            who = f"Hallucinator {self.network}"
            self._bundle = find_bundle()
            if not engine_is_here():
                raise MissingError(
                    f"{who}: landmarks=engine needs the package ai-edge-litert: {pip_install('ai-edge-litert')}; "
                    "or take landmarks=template."
                )
            self.weights += (weights_file(self._bundle, wanted_by=who, how_to_get=""),)

    def hallucinate_counted(self, lr: FloatImages) -> tuple[FloatImages, list[Outcome]]:
        """As `hallucinate`, frontal and upright, and the outcome of each face.

        A face without detected landmarks is a fallback: its components are taken at template positions.
        """
        stages = self.stages(lr)
        return self.in_frame(stages), stages.outcomes

    def in_frame(self, stages: Stages) -> FloatImages:
        """The faces of a pass in the frame of the argument ``frame``, with their surroundings in a wider frame."""
        faces = stages.coarse if stages.fine is None else stages.fine
        if self._frame == TRUTH_FRAME:
            return faces
        import torch

        from hallucinators.vividgan.compositing import composite

        face, lr, similarity = (torch.from_numpy(part) for part in (faces, stages.lr, stages.similarity))
        with torch_threads(self._threads):
            opacity = 1.0 - self._show_through if for_recognisers(self._frame) else 1.0
            return _to_numpy(composite(face, lr, similarity, self._frame, opacity=opacity))

    def stages(self, lr: FloatImages) -> Stages:
        """All images of one pass.

        Args:
            lr: RGB in [0, 1], float32 (N, 3, h, w), N >= 1; other sizes than the network's are resized (bicubic).

        Raises:
            UsageError: no RGB batch, or an empty one.
        """
        safe, finite = self._replace_non_finite(lr)
        side = next((side for side in self._files if max(lr.shape[2:]) <= side), max(self._files))
        model, faces = self._model(side), resize_clipped(safe, side)
        parts = self._passes(model, self._batches(faces))
        outcomes = [outcome for part in parts for outcome in part.outcomes]
        return Stages(
            faces,
            np.concatenate([part.coarse for part in parts]),
            _concatenate([part.prior for part in parts]),
            _concatenate([part.fine for part in parts]),
            mark_failed(outcomes, finite),
            np.concatenate([part.similarity for part in parts]),
        )

    def export_onnx(self, out: Path, *, licence: str = "") -> Exported:
        """Write the network as an ONNX file after comparing it with torch; see `onnx_export.export_onnx`.

        Raises:
            UsageError: it has a network for each size, and no size was chosen.
        """
        if len(set(self._files.values())) > 1:
            sizes = " or ".join(f"{self.network}:size={side}" for side in self._files)
            raise UsageError(f"{self.network} has a network for each size, and a file holds one; say {sizes}.")
        from hallucinators.vividgan.onnx_export import export_onnx

        model, facts = self._load(next(iter(self._files)))
        facts = replace(facts, fine=self._output == "fine")
        return export_onnx(model, facts, out, weights_sha256=self.weights[0].sha256, licence=licence)

    def _passes(self, model: VividGAN, parts: list[FloatImages]) -> list[Stages]:
        """On processors as many faces in parallel as there are threads, with one thread each.

        On two cores a face takes 35 ms this way, and 51 ms with both threads on one face at a time; and the result does
        not depend on the number of threads.
        """
        if self._device != "cpu":
            return [self._pass(model, part) for part in parts]
        at_once = min(len(parts), cpu_threads(self._threads))
        with torch_threads(1), ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda part: self._pass(model, part), parts))

    def _pass(self, model: VividGAN, lr: FloatImages) -> Stages:
        import torch

        faces = torch.from_numpy(lr).to(self._device)
        with torch.inference_mode():
            coarse, estimate = model.locate(faces)
            preview, similarity = _to_numpy(coarse), estimate.float().cpu().numpy()
            if self._output == "coarse":
                return Stages(lr, preview, None, None, [OK] * len(lr), similarity)
            centres, outcomes = self._centres(preview) if model.touchup is not None else (None, [OK] * len(lr))
            result = model.refine(coarse, centres=None if centres is None else torch.from_numpy(centres).to(coarse))
        prior = _to_numpy(result.prior) if model.touchup is not None else None
        return Stages(lr, preview, prior, _to_numpy(result.fine), outcomes, similarity)

    def _centres(self, preview: FloatImages) -> tuple[NDArray[np.float32] | None, list[Outcome]]:
        """Centres of the components of each coarse face (N, 4, 2), from five detected points or from the template."""
        import torch

        from bench.faces.landmarks.points import five_points
        from hallucinators.vividgan.network.components import centres_from_five, template_centres

        if self._bundle is None:
            return None, [OK] * len(preview)
        centres = np.repeat(template_centres().numpy()[None], len(preview), axis=0)
        outcomes = [OK] * len(preview)
        with self._landmarker_lock:  # the landmarker's networks keep their buffers
            points = self._landmarker.find(list(to_bytes(preview)))
        for row, landmarks in enumerate(points):
            if landmarks is None:
                outcomes[row] = _FALLBACK
                continue
            centres[row] = centres_from_five(torch.from_numpy(five_points(landmarks.points))[None])[0].numpy()
        return centres, outcomes

    def _lr_of(self, side: int) -> int:
        """The side in the header of the weights for a side; 0 for one network of all sides."""
        return 0 if self.one_for_all_sides else side

    def _model(self, side: int) -> VividGAN:
        """The network for a side, loaded at first use."""
        path = self._files[side]
        if path not in self._models:
            self._models[path] = self._load(side)[0].to(self._device)
        return self._models[path]

    def _load(self, side: int) -> tuple[VividGAN, Facts]:
        """Load the network for a side, and the header of its file."""
        from hallucinators.vividgan.network.loading import load_weights

        path = self._files[side]
        sha256 = next(file.sha256 for file in self.weights if file.path == path)
        model, facts = load_weights(path, network=self.network, lr=self._lr_of(side), sha256=sha256)
        self._set_up(model)
        return model, facts

    def _set_up(self, model: VividGAN) -> None:
        """Settings of a loaded network that its weights do not include; none here."""

    @cached_property
    def _landmarker(self) -> Any:
        from bench.faces.landmarks.mediapipe import FaceLandmarker

        with unchanged_weights(*(file for file in self.weights if file.path == self._bundle)):
            return FaceLandmarker(self._bundle)


def for_recognisers(frame: Framing) -> bool:
    """Whether the frame is one that recognisers take, not that of the true faces of a data set."""
    return frame == "lr" or frame in CHIPS


def _concatenate(parts: list[FloatImages | None]) -> FloatImages | None:
    images = [part for part in parts if part is not None]
    return np.concatenate(images) if images else None


def _to_numpy(images: Any) -> FloatImages:
    values: FloatImages = images.float().clamp(0, 1).cpu().numpy()
    return values
