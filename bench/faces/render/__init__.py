"""Faces as meshes, turned to any pose and drawn with a background. May import `bench.faces.landmarks` and all below."""
