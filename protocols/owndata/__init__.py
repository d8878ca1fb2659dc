"""Data of the user without a protocol class: folders of people, lists in CSV files, pairs; checks and samples.

May import `protocols.base`, `protocols.views`, `protocols.sample` and `bench`; never another database.
"""
