"""What users write on the command line: values by type annotation, and arguments described in docstrings.

May import the standard library alone.
"""
