"""Expression classification on MMI, CK+ and FER2013.

May import `protocols.base`, `protocols.views`, `protocols.mmi` and `bench`.
"""
