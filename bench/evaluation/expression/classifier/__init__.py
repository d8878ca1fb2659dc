"""The classifier of expressions: its networks, training on frontal faces, and folds in parallel.

May import files directly in `bench`; knows no protocol.
"""
