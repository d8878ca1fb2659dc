"""The subcommands about components: `list`, `check` and `plugin`, one per file.

Stands on the same floor as the other commands and may import the same.
"""
