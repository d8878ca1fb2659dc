"""Expressions of restored faces, predicted by a classifier that was trained on other people.

May import the pipeline, metrics and the shared files of the evaluation.
"""
