"""Crops of the faces of a photograph, in the frame hallucinators are trained in; and images side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.devices import torch_threads
from bench.images import ByteImages, resize

_CROP_SCALE = 0.88
"""Side of the crop over the longer side of MTCNN's box. With `_DOWN` it gives the frame of UTKFace, in which our
hallucinators are trained: eyes 0.41 of the side apart, at 0.28 of its height. Over 136 photographs of LFW the median
would be 0.875; over views of UTKFace turned to 10, 30, 55 and 75 degrees 0.87, 0.87, 0.92 and 0.88."""
_DOWN = 0.08
"""Offset of the crop's centre below that of MTCNN's box, over the box's longer side (UTKFace 0.08, LFW 0.085)."""
_SIDE = 128
_SMALLEST, _LARGEST = 400, 1600  # pixels: longer side of the photograph as given to MTCNN
_MARGIN = 0.1  # repeated border around it: without one, boxes that leave the image are clipped


def faces_of(image: ByteImages) -> list[ByteImages]:
    """Crop the faces of a photograph, left to right: squares, RGB uint8, in native size.

    Detection enlarges small photographs and shrinks large ones. Source: MTCNN (Zhang et al. 2016) of facenet-pytorch.
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    factor = min(max(_SMALLEST, longest), _LARGEST) / longest
    seen = resize(image, max(2, round(height * factor)), max(2, round(width * factor)))
    margin = round(_MARGIN * max(seen.shape[:2]))
    seen = np.pad(seen, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    with torch_threads(1):  # the networks are too small for a second thread
        boxes, _ = _detector().detect(seen)
    if boxes is None:
        return []
    places = (np.asarray(boxes, np.float64) - margin) / factor
    return [_crop(image, box) for box in places[np.argsort(places[:, 0], kind="stable")]]


def beside(columns: Sequence[ByteImages]) -> ByteImages:
    """Images side by side, each resized to 128 x 128; small ones by repeating pixels first."""
    shown = []
    for column in columns:
        times = max(1, _SIDE // max(column.shape[:2]))
        grown = column.repeat(times, 0).repeat(times, 1) if times > 1 else column
        shown.append(resize(grown, _SIDE, _SIDE))
    return np.concatenate(shown, axis=1)


@lru_cache(maxsize=1)
def _detector() -> Any:
    from facenet_pytorch import MTCNN

    return MTCNN(min_face_size=20, keep_all=True)


def _crop(image: ByteImages, box: NDArray[np.float64]) -> ByteImages:
    """The square crop around a box (x0, y0, x1, y1); beyond the photograph its border is repeated."""
    longer = max(box[2] - box[0], box[3] - box[1])
    side = max(2, round(longer * _CROP_SCALE))
    left = round((box[0] + box[2] - side) / 2)
    top = round((box[1] + box[3] - side) / 2 + longer * _DOWN)
    rows = np.clip(np.arange(top, top + side), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, image.shape[1] - 1)
    cut: ByteImages = image[rows][:, columns]
    return cut
