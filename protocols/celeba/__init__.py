"""CelebA: a search of turned views of its test people; its files, check and sample.

May import `protocols.base`, `protocols.views`, `protocols.sample` and `bench`; never another database.
"""
