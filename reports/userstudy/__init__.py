"""The user study of section VI-C: a page on which people pick the face most like the ground truth, and its tally.

Imports `bench` alone.
"""
