"""VividGAN (Zhang, Yu et al., IEEE TIP 2021, arXiv 2002.03308): hallucinators, networks, training; imports no torch.

May import `hallucinators.networks`, `hallucinators.training` and `bench`; never another method.
"""
