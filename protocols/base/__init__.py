"""What protocols have in common: base classes, finding a root, MATLAB files, lines of checks.

May import `protocols.views`, `protocols.sample` and `bench`; never a database.
"""
