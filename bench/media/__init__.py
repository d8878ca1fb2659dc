"""Crops, video frames, similarity transforms. May import the files directly in `bench`."""
