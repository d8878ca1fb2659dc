"""Digests of the code that decides a figure: the import closure of a module, and what belongs to a plugin.

May import the files directly in `bench` and `bench.io`; looks at no data.
"""
