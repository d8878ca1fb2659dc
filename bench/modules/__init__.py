"""A user's own Python files: a torch network (a class and its weights), and a plugin of a single file.

May import `bench.errors`, `bench.faults`, `bench.io`, `bench.types` and `bench.weights`.
"""
