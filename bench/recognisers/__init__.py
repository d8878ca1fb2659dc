"""Recognisers: the ruler, not the contestant. Importing this package registers them."""
