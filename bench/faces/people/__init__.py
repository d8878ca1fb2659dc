"""A statistical model of faces: how it is learnt, and people drawn from a seed.

May import landmarks, rendering and all below.
"""
