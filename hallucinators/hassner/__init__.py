"""Hassner et al. 2015: a face turned to the front over one generic 3D surface, hidden sides by soft symmetry.

May import `bench`.
"""
