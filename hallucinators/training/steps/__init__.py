"""What one training step is made of: the task, the batch, losses, gradients, schedules, processes.

May import `hallucinators.networks` and `bench`; no other room of `hallucinators.training`, and no method.
"""
