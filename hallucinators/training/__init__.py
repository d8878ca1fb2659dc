"""How networks of this suite are trained: one loop for all of them; a task says what a step is.

May import `hallucinators.networks` and `bench`; never a method.
"""
