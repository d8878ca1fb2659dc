"""Networks whose state dicts their authors published, and the recogniser class that loads such a file.

May import what `bench.recognisers.networks` may, and that room.
"""
