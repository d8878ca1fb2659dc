"""Searches of probes in a gallery: ranks, closed-set and open-set figures.

May import the engine, the pipeline, metrics and the shared files of the evaluation.
"""
