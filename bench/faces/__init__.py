"""The face engine: photograph to landmarks to mesh to any pose, and people drawn from a seed.

May import aligners, media and all below.
"""
