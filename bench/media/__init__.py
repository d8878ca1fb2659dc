"""Pixels out of files: crops, video frames, similarity transforms. May import the files directly in `bench`."""
