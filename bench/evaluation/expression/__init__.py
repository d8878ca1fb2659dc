"""Expressions of restored faces, as a classifier sees them that was trained on other people.

May import the pipeline, metrics and what is shared by kinds of studies.
"""
