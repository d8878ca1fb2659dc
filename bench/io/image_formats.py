"""The formats of images that are read, and the endings of their files, for all data sets and tools."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "GIF")
"""Formats that are read, by Pillow's names. Decoders of other formats start programs or are rarely tested."""

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
"""Endings, in lower case, of files that are images where a folder is searched; animations are excluded."""
