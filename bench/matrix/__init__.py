"""Experiments of many runs: the experiment file, its cells, their state and the table at the end.

May import `bench.run` and all below.
"""
