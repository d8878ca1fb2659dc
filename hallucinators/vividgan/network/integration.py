"""Integration block: attention of features on landmark heatmaps (section III-B.2, figure 5c)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from hallucinators.networks.blocks import conv, norm, zeroed

SIGMA = 1.0
"""The trade-off of equation 2, as in the paper."""


class IntegrationBlock(nn.Module):
    """Equations 1 and 2.

    At each position i: F_CH(i) = sum over j of softmax_j(W_theta F_C(i) . W_psi F_H(j)) W_zeta F_H(j), and
    F_E = sigma W_phi F_CH + F_C. There is no 1 / sqrt(d) inside the softmax. "First normalised" is read as group
    normalisation of F_C and F_H before the three maps; the F_C that is added stays as it is. Choices: d is half the
    channels of F_C, as in non-local networks; query and key weights start d^(1/4) times smaller, so that the first
    softmax is not saturated; W_phi starts at zero, so that the block starts as the identity.
    """

    def __init__(self, channels: int, heatmaps: int) -> None:
        super().__init__()
        inner = channels // 2
        self.norm_features = norm(channels)
        self.norm_heatmaps = nn.GroupNorm(1, heatmaps)
        self.query = conv(channels, inner, kernel=1)
        self.key = conv(heatmaps, inner, kernel=1)
        self.value = conv(heatmaps, inner, kernel=1)
        self.out = zeroed(conv(inner, channels, kernel=1))
        for layer in (self.query, self.key):
            layer.weight.data.div_(inner**0.25)

    def forward(self, features: Tensor, heatmaps: Tensor) -> Tensor:
        """Refine F_C (N, channels, h, w) by F_H (N, heatmaps, h, w): F_E, the shape of F_C."""
        normed = self.norm_heatmaps(heatmaps)
        query, key, value = (
            t.flatten(2).transpose(1, 2)[:, None]
            for t in (self.query(self.norm_features(features)), self.key(normed), self.value(normed))
        )
        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        attended = attended[:, 0].transpose(1, 2).reshape(features.shape[0], -1, *features.shape[-2:])
        refined: Tensor = SIGMA * self.out(attended) + features
        return refined
