"""Pairs of templates, the same person or not: accuracy over folds, ROC and true accept rates.

May import the pipeline, metrics and the shared files of the evaluation.
"""
