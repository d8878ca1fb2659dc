"""Exact search in a gallery: similarities by block, ranks of mates.

May import `bench.errors` and the files beside it.
"""
