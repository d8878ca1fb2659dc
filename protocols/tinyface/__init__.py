"""TinyFace: closed-set search of native LR faces; its files, check and sample.

May import `protocols.base`, `protocols.views`, `protocols.sample` and `bench`; never another database.
"""
