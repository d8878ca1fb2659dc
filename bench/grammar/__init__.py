"""Syntax of the command line: values by type annotation, and argument descriptions from docstrings.

May import only the standard library.
"""
