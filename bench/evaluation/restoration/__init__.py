"""How near restored faces are to the true ones: pixels, structure, landmarks, identity.

May import the pipeline, face landmarks, metrics and what is shared by kinds of studies.
"""
