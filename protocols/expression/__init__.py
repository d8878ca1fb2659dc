"""The protocols of expression: MMI, CK+ and FER2013, told by a classifier.

May import `protocols.base`, `protocols.views`, `protocols.mmi` and `bench`.
"""
