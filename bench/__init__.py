"""Recognition via hallucination, measured."""

__version__ = "0.1.0"
