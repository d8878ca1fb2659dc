"""Batches of training faces: turned, moved, shrunk, augmented.

May import `hallucinators.training.steps` and `bench`.
"""
