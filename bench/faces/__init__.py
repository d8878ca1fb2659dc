"""The face engine: landmarks and meshes of photographs, rendering at any pose, and people drawn from a seed.

May import aligners, media and all below.
"""
