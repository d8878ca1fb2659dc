"""Cost of a hallucinator: parameters, time per face, memory; each batch size is measured in a separate process.

May import the pipeline, metrics and the shared files of the evaluation.
"""
