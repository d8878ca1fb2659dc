"""Checks with known results on drawn faces: canaries, conformance of components, frames of hallucinators.

May import the pipeline, the evaluation, the diagnosis and all below; nothing in `bench` but the commands imports it.
"""
