"""One run: prepared, executed, recorded in its folder, and what a finished one is.

May import the diagnosis, the evaluation, the pipeline and all below.
"""
