"""Hallucinators shipped with the suite. Importing this package registers them."""
