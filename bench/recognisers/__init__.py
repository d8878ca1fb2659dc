"""Recognisers: the ruler, not the contestant. Importing this package registers them; nothing heavy is imported."""

from bench.recognisers import sface

__all__ = ["sface"]
