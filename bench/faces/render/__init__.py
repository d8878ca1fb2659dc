"""Head meshes rendered at any pose in front of a background. May import `bench.faces.landmarks` and all below."""
