"""Evaluation protocols, one database a file. Importing this package registers them."""
