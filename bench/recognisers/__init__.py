"""Recognisers: face to embedding. Importing this package registers them; nothing heavy is imported."""

from bench.recognisers import (
    adaface,
    arcface,
    dlib,
    facenet,
    insightface,
    magface,
    onnx_file,
    sface,
    sphereface,
    tflite_file,
    torch_file,
)

__all__ = [
    "adaface",
    "arcface",
    "dlib",
    "facenet",
    "insightface",
    "magface",
    "onnx_file",
    "sface",
    "sphereface",
    "tflite_file",
    "torch_file",
]
