"""Landmarks of faces by the networks that ship here, and what their points mean.

May import files directly in `bench`.
"""
