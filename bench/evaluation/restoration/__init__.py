"""Quality of restored faces against the true ones: pixels, structure, landmarks, identity.

May import the pipeline, face landmarks, metrics and the shared files of the evaluation.
"""
