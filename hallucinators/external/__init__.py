"""Restoration networks of other authors, run from their files: ``spandrel`` (torch weights) and ``onnx``.

May import `bench`.
"""
