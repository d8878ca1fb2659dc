"""What a hallucinator costs: parameters, time of a face, memory; each measured in a process of its own.

May import the pipeline, metrics and what is shared by kinds of studies.
"""
