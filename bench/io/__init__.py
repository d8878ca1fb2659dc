"""Files of users and of runs: strict readers, atomic writers, digests, text that is safe to print.

May import only `bench.errors`.
"""
