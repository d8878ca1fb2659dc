"""A user's own torch network: a class in a Python file, and its weights.

May import `bench.errors`, `bench.io`, `bench.types` and `bench.weights`.
"""
