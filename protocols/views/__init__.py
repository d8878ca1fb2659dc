"""Faces of photographs: detected, or rendered at other yaws by the face engine, and cached. May import `bench`."""
