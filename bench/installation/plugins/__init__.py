"""Templates of plugin packages that `bench plugin new` writes, one for each kind of component.

May import `bench.errors` and `bench.io`; the templates are texts and are not imported.
"""
