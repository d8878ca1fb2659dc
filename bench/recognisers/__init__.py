"""Recognisers: face to embedding. Importing this package registers them; nothing heavy is imported."""

from bench.recognisers import dlib, facenet, insightface, onnx_file, sface, sphereface, tflite_file, torch_file

__all__ = ["dlib", "facenet", "insightface", "onnx_file", "sface", "sphereface", "tflite_file", "torch_file"]
