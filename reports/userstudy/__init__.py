"""The user study of section VI-C: a page on which people pick the face most like the true one, and its tally.

Imports `bench` alone.
"""
