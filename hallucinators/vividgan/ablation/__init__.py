"""The ablation of Table III and figures 6 and 8: variants of VividGAN, trained and measured alike.

May import everything of VividGAN's, `hallucinators.training` and `bench`.
"""
