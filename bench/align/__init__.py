"""Aligners: image to chip. Importing this package registers them; nothing heavy is imported."""

from bench.align import landmarks, mtcnn, none, template, yunet

__all__ = ["landmarks", "mtcnn", "none", "template", "yunet"]
