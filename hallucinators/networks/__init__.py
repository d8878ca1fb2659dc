"""Parts that several hallucinators share: blocks, spatial transformers, weight files, the base of those that infer.

May import `bench`; never a method, nor `hallucinators.training`.
"""
