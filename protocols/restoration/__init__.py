"""The protocol restoration: LR faces against their truths, rendered, photographed or given as pairs.

May import `protocols.base`, `protocols.views`, the databases that it reads, and `bench`.
"""
