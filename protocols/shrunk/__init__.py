"""Sets of LR images made from a folder of larger ones: the folder again, or the layout of TinyFace.

May import `protocols.base`, `protocols.sample` and `bench`; never another database.
"""
