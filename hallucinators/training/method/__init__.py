"""Training a method by name: its options, its stages, its weight file and the card beside it.

May import the other rooms of `hallucinators.training`; methods are looked up by name.
"""
