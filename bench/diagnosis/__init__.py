"""Why is a figure bad? Figures at chance, or below the LR face's, with the likely causes.

May import the evaluation, the pipeline and all below.
"""
