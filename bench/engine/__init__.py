"""Where the shards of a run are computed. Engines know no study and no network.

May import configuration, errors and progress.
"""
