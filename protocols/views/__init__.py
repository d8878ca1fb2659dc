"""Faces out of photographs: found by a detector, or turned by the face engine and kept. May import `bench` alone."""
