"""The position of the face in the training chips of each recogniser: five points."""

from __future__ import annotations

from bench.types import FaceTemplate, Points

ARCFACE_112 = FaceTemplate(
    112,
    112,
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
)
"""ArcFace and what followed it (SFace, the insightface packs, AdaFace). Source: Deng et al. 2019, public code."""

SPHEREFACE_112X96 = FaceTemplate(112, 96, tuple((x - 8.0, y) for x, y in ARCFACE_112.points))
"""SphereFace: 112 high, 96 wide; the ArcFace template is this one with 8 columns more on each side. Liu et al. 2017."""

_DLIB_MEAN_FACE: Points = ((0.2355, 0.2161), (0.7448, 0.2161), (0.4901, 0.5156), (0.2541, 0.7802), (0.7261, 0.7802))
_DLIB_PADDING = 0.25

DLIB_150 = FaceTemplate(
    150,
    150,
    tuple(
        (150 * (x + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING), 150 * (y + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING))
        for x, y in _DLIB_MEAN_FACE
    ),
)
"""dlib: its mean face of 68 points on the unit square, set into the chip with the padding of 0.25 of its examples.

The eyes are the means of their six points (36-41, 42-47), the nose is point 30, the mouth corners are 48 and 54 of the
constants in dlib's ``get_face_chip_details``; dlib itself fits more points, or five others (eye corners, nose base).
"""

FACENET_160 = FaceTemplate(160, 160, ((46.7, 62.1), (118.4, 60.9), (83.0, 92.7), (51.7, 121.3), (115.5, 120.2)))
"""FaceNet was trained on MTCNN's box, cropped and resized to a square, not on points.

So these are the points of MTCNN in such a crop: their mean over 400 photographs of Labeled Faces in the
Wild (one a person, drawn with seed 0; facenet-pytorch's MTCNN, no margin). The boxes are 0.76 as wide as they are high
and the crop stretches them; a similarity cannot, so a face fitted to these points keeps its proportions.
"""
