"""The training loop: checkpoints, validation, averages of weights, curves, signals.

May import `hallucinators.training.steps` and `bench`.
"""
