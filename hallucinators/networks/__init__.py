"""Parts shared by hallucinators: blocks, spatial transformers, weight files, inference, registration.

May import `bench`; never a method, nor `hallucinators.training`.
"""
