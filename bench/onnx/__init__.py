"""Sessions of ONNX Runtime and the ports of ONNX graphs, shared by recognisers and hallucinators.

May import the files directly in `bench`.
"""
