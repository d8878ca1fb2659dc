"""Where each recogniser was taught to expect the face: five points in its chip."""

from __future__ import annotations

from bench.types import FaceTemplate

ARCFACE_112 = FaceTemplate(
    112,
    112,
    ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)),
)
"""ArcFace and what followed it (SFace, the insightface packs, AdaFace). Source: Deng et al. 2019, public code."""

SPHEREFACE_112X96 = FaceTemplate(112, 96, tuple((x - 8.0, y) for x, y in ARCFACE_112.points))
"""SphereFace: 112 high, 96 wide; the ArcFace template is this one with 8 columns more on each side. Liu et al. 2017."""
