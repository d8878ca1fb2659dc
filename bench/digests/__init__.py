"""Digests of the code that affects a figure: the import closure of a module, and the modules of a plugin.

May import the files directly in `bench` and `bench.io`; reads no data.
"""
