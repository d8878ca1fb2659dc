"""Celebrities in Frontal-Profile: pairs, or a search of profiles; its files, check and sample.

May import `protocols.base`, `protocols.views`, `protocols.sample` and `bench`; never another database.
"""
