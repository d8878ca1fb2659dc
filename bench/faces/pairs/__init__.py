"""Training pairs of an LR face and its frontal HR face: cropped, rendered, packed into files.

May import the rooms of `bench.faces`, media and all below.
"""
