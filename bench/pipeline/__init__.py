"""From a listed image to its embedding: reading, hallucinating, aligning, recognising, with the cache.

May import aligners, media, digests and all below; knows no protocol's figures and writes no run folder.
"""
