"""Shared by the databases: base classes, locating a data root, MATLAB files, lines of checks.

May import `protocols.views`, `protocols.sample` and `bench`; never a database.
"""
