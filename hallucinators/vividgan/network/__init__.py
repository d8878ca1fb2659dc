"""VividGAN's networks and their weight files. May import `hallucinators.networks` and `bench`; never a training."""
