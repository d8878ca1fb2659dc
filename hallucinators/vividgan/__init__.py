"""VividGAN (Zhang, Yu et al., IEEE TIP 2021, arXiv 2002.03308): networks and losses; importing this loads no torch."""
