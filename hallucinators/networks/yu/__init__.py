"""Blocks and spatial transformers of X. Yu's networks (TANN, TDAE). May import `hallucinators.networks` and `bench`."""
