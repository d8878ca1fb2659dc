"""Any recognition network in a TensorFlow Lite file; the arguments say how its input is prepared."""

from __future__ import annotations

from bench.interfaces import RECOGNISERS
from bench.recognisers.networks.file_recogniser import FileRecogniser
from bench.recognisers.networks.tflite_session import TfliteNetwork


@RECOGNISERS.register(
    "tflite",
    summary="Any recognition network in a TensorFlow Lite file (weights=PATH); colour and scaling as arguments.",
    source="the file given",
    licence="that of the file given",
)
class TfliteFile(FileRecogniser[TfliteNetwork]):
    """Input (x - mean) / std of 0..255 values; a quantised network takes the whole numbers that stand for these values.

    A batch of fixed length is filled up with copies of an image. Several images go in at once only where that gives
    what each gives alone, which is tried when the file is opened. The file is first run in a process of its own.

    Args:
        weights: the TensorFlow Lite file: one image input, and an output that is the embedding.
        mean: one value, or one for each channel in that order. By default 127.5; 0 where the network takes whole
            numbers that stand for themselves.
        std: what differences from the mean are divided by, one value or three; none is 0. By
            default 127.5; 1 where the network takes whole numbers that stand for themselves.
        output_name: name of the output that is the embedding, or its index from 0, where the file has several.
    """

    name = "tflite"
    format = "a TensorFlow Lite file"
    network_type = TfliteNetwork
