"""Networks of recognisers and readers of their weight files.

May import `bench.align`, `bench.onnx` and the files directly in `bench`; registers nothing.
"""
