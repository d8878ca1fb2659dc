"""Pairs of an LR face and its frontal HR face, to train on: cut, rendered, packed into files.

May import the rooms of `bench.faces`, media and all below.
"""
