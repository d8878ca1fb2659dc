"""Labeled Faces in the Wild: a search, or pairs in ten folds; its files, check and sample.

May import `protocols.base`, `protocols.views`, `protocols.sample` and `bench`; never another database.
"""
