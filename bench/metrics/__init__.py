"""Metrics as pure functions, one family per file.

May import `bench.errors` and files directly in `bench`; no models and no files.
"""
