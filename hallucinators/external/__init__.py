"""Other people's restoration networks, run from their files: ``spandrel`` (torch weights) and ``onnx``.

May import `bench`.
"""
