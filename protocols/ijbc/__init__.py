"""IJB-C: templates searched in two galleries, or compared in pairs; its files, check and sample.

May import `protocols.base`, `protocols.views`, `protocols.sample` and `bench`; never another database.
"""
