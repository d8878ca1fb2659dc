"""The formats of images that are read, and the endings of their files: one list for every data set and tool."""

from __future__ import annotations

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF", "PPM", "GIF")
"""Formats that are read, by Pillow's names. Others have decoders that start programs or are hardly ever tested."""

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
"""Endings, in small letters, of the files that count as images where a folder is searched. Animations are no faces."""
