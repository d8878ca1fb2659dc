"""`bench.hallucinate`: the faces of one photograph; ``bench hallucinate`` writes the pictures of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.devices import resolve_device
from bench.errors import UsageError
from bench.faces.pairs.crops import beside, faces_of
from bench.images import ByteImages, encode_png, read_image, resize, to_bytes, to_float
from bench.pipeline.chain import Chain
from bench.registry import load_plugins


@dataclass(frozen=True, slots=True, eq=False)
class HallucinatedFace:
    """One face and what a chain made of it; images are uint8 (h, w, 3), RGB.

    Attributes:
        face: the face as it was cut out of the photograph.
        lr: the input of the chain.
        stages: intermediate images, where the hallucinator provides them.
        result: the output of the chain; None where it failed.
        notes: what was done to the face, or why the chain failed.
    """

    face: ByteImages
    lr: ByteImages
    stages: tuple[ByteImages, ...]
    result: ByteImages | None
    notes: tuple[str, ...]

    @property
    def columns(self) -> list[ByteImages]:
        """The input, the stages and the result, in this order."""
        return [self.lr, *self.stages, *([] if self.result is None else [self.result])]

    def __repr__(self) -> str:
        height, width = self.face.shape[:2]
        result = "failed" if self.result is None else f"{self.result.shape[1]} x {self.result.shape[0]}"
        return f"HallucinatedFace({width} x {height} -> {result}{''.join(f'; {note}' for note in self.notes)})"

    def _repr_png_(self) -> bytes:
        """The columns side by side for a notebook."""
        return encode_png(beside(self.columns))


def hallucinate(
    image: str | Path | ByteImages,
    hallucinator: str = "vividgan-flow",
    *,
    whole: bool = False,
    lr: int | None = None,
    device: str = "cpu",
) -> list[HallucinatedFace]:
    """Find the faces of a photograph and hallucinate each: ``bench hallucinate`` in memory.

    Args:
        image: a file, or uint8 (h, w, 3), RGB.
        hallucinator: a hallucinator or a chain, ``A:key=value+B``.
        whole: whether the image is one cropped face; none is detected then.
        lr: side in pixels that each face is shrunk to first, 2 to 128; None takes faces as they are.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``.

    Returns:
        One result a face; empty where none is found.

    Raises:
        UsageError: ``lr`` is out of range, the chain cannot be read, or an array is not uint8 (h, w, 3).
        DataError: the file cannot be read.
    """
    check_lr(lr)
    chain = load_chain(hallucinator, device)
    if not isinstance(image, np.ndarray):
        image = read_image(Path(image))
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise UsageError(f"The image is {image.dtype} of shape {image.shape}; expected uint8 (h, w, 3), RGB.")
    return [hallucinate_face(chain, face, lr) for face in cut_faces(image, whole=whole)]


def check_lr(lr: int | None) -> None:
    """Raise UsageError unless a face may be shrunk to this side."""
    if lr is not None and not 2 <= lr <= 128:
        raise UsageError(f"--lr is {lr}; a tiny face has 2 to 128 pixels")


def load_chain(hallucinator: str, device: str) -> Chain:
    """The chain of that text, with the components of plugins, on a device."""
    load_plugins()
    return Chain.parse(hallucinator, {"device": resolve_device(device)})


def cut_faces(image: ByteImages, *, whole: bool) -> Sequence[ByteImages]:
    """The faces of a photograph, or the photograph as one face."""
    return [image] if whole else faces_of(image)


def hallucinate_face(chain: Chain, face: ByteImages, side: int | None) -> HallucinatedFace:
    """Hallucinate one cropped face, shrunk to ``side`` first where that is given."""
    notes = () if face.shape[0] == face.shape[1] else ("not square: stretched",)
    network_input = resize(face, side, side) if side else face
    first = chain.steps[0].component
    if len(chain.steps) == 1 and hasattr(first, "stages"):
        of_stages = first.stages(to_float([network_input]))
        outcome = of_stages.outcomes[0]
        network_input = to_bytes(of_stages.lr)[0]
        *stages, last = (
            to_bytes(image)[0] for image in (of_stages.coarse, of_stages.prior, of_stages.fine) if image is not None
        )
        result = to_bytes(first.in_frame(of_stages))[0] if hasattr(first, "in_frame") else last
        done = HallucinatedFace(face, network_input, tuple(stages), result, notes)
    else:
        if chain.input_size is not None:
            network_input = resize(network_input, chain.input_size, chain.input_size)
        (image,), (outcome,) = chain.hallucinate([network_input])
        done = HallucinatedFace(face, network_input, (), image, notes)
        if image is None:
            return replace(done, notes=(*notes, f"{chain.text} failed: {outcome.reason}"))
    if network_input.shape != face.shape:
        verb = "shrunk" if network_input.shape[0] < max(face.shape[:2]) else "enlarged"
        notes = (*notes, f"{verb} to {network_input.shape[1]} x {network_input.shape[0]}")
    return replace(done, notes=(*notes, *([outcome.reason] if outcome.reason else [])))
