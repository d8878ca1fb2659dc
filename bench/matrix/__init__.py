"""Experiments of many runs: the experiment file, its cells, their state and the final table.

May import `bench.execution` and all below.
"""
