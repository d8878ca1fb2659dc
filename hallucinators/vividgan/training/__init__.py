"""VividGAN's losses, stages and recipe. May import its networks, `hallucinators.training` and `bench`."""
