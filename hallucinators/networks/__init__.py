"""The networks VividGAN is compared with: one file each, with its losses and its training."""
