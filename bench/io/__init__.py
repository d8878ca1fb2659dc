"""Files of users and of runs: strict readers, atomic places for outputs, digests, text that is safe to print.

May import `bench.errors` alone.
"""
