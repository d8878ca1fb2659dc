"""Pure metric functions: one family a file.

May import `bench.errors` and files directly in `bench`; no models and no files.
"""
