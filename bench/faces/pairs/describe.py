"""What photographs are grouped by: digests, perceptual hashes, and embeddings of two recognisers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.align.chips import chip_by_points
from bench.errors import DataError
from bench.faces.landmarks.mediapipe import Landmarker, Landmarks
from bench.faces.landmarks.points import five_points
from bench.faces.pairs.groups import Descriptions, perceptual_hash
from bench.images import ByteImages, read_image
from bench.interfaces import Recogniser


class Describer:
    """Describes photographs one by one.

    Attributes:
        recognisers: by name, ``sface`` and ``dlib``; empty where photographs are grouped without them.
    """

    def __init__(self, recognisers: Mapping[str, Recogniser] | None = None) -> None:
        """Take built recognisers by name."""
        self.recognisers = dict(recognisers or {})
        self._digests: list[str] = []
        self._hashes: list[NDArray[np.uint8]] = []
        self._embeddings: dict[str, list[NDArray[np.float32]]] = {name: [] for name in self.recognisers}

    def add(self, data: bytes, image: ByteImages, landmarks: Landmarks | None) -> None:
        """Describe one photograph.

        Args:
            data: bytes of its file.
            image: RGB uint8 (h, w, 3).
            landmarks: of its face, in its pixels; None gives embeddings of NaN, which are near nothing.
        """
        self._digests.append(hashlib.sha256(data).hexdigest())
        self._hashes.append(perceptual_hash(image))
        for name, recogniser in self.recognisers.items():
            row = np.full(recogniser.embedding_size, np.nan, np.float32)
            if landmarks is not None:
                five = five_points(landmarks.points)[:, :2].astype(float)
                chip, outcome = chip_by_points(image, tuple(map(tuple, five)), recogniser.face, without="")
                if outcome.status == "ok":
                    row = np.asarray(recogniser.embed(chip[None])[0], np.float32)
            self._embeddings[name].append(row)

    def result(self) -> Descriptions:
        """The photographs in the order in which they were added."""
        return Descriptions(
            np.array(self._digests, "<U64"),
            np.stack(self._hashes) if self._hashes else np.zeros((0, 8), np.uint8),
            {
                name: np.stack(rows) if rows else np.zeros((0, self.recognisers[name].embedding_size), np.float32)
                for name, rows in self._embeddings.items()
            },
            {name: made_by(recogniser) for name, recogniser in self.recognisers.items()},
        )


def describe_photographs(
    files: Iterable[Path],
    landmarker: Landmarker | None,
    recognisers: Mapping[str, Recogniser],
    advance: Callable[[int], None] = lambda done: None,
) -> Descriptions:
    """Describe the photographs of a set; one that is no image is left out.

    Args:
        files: the photographs.
        landmarker: finds faces; needed with recognisers alone.
        recognisers: by name.
        advance: called with 1 after each.
    """
    describer = Describer(recognisers)
    for path in files:
        try:
            image = read_image(path)
        except DataError:
            advance(1)
            continue
        landmarks = landmarker.find([image])[0] if landmarker is not None and recognisers else None
        describer.add(path.read_bytes(), image, landmarks)
        advance(1)
    return describer.result()


def made_by(recogniser: Recogniser) -> str:
    """Version and digests of the weights of a recogniser: embeddings of others are not compared with its own."""
    return "+".join([recogniser.version, *(weights.sha256 for weights in recogniser.weights)])
