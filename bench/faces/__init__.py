"""The face engine: photograph to landmarks to mesh to any pose, and people drawn from a seed."""
