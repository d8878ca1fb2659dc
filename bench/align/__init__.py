"""Aligners: image to chip. Importing this package registers them."""
