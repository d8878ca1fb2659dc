"""SphereFace's 20-layer network as a torch module whose tensors have the names of the public state dict.

Source: Liu et al. 2017, SphereFace: deep hypersphere embedding for face recognition, table 2 (20-layer CNN); layer
names of the public PyTorch port (``sphere20a``).
"""

from __future__ import annotations

from torch import Tensor, nn

_STAGES = ((64, 1), (128, 2), (256, 4), (512, 1))  # filters, residual pairs


class SphereFace20(nn.Module):
    """Four stages, each a stride-2 convolution and residual pairs of two; then one fully connected layer.

    Every convolution is 3 x 3 with a bias and a PReLU per channel behind it; no normalisation layers. The feature part
    has 22,670,656 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for stage, (filters, pairs) in enumerate(_STAGES, start=1):
            for index in range(1, 2 + 2 * pairs):
                stride = 2 if index == 1 else 1
                self.add_module(f"conv{stage}_{index}", nn.Conv2d(channels, filters, 3, stride, 1))
                self.add_module(f"relu{stage}_{index}", nn.PReLU(filters))
                channels = filters
        self.fc5 = nn.Linear(512 * 7 * 6, 512)

    def forward(self, faces: Tensor) -> Tensor:
        """Embed faces.

        Args:
            faces: BGR, (x - 127.5) / 128 of 0..255 values; float32 (N, 3, 112, 96).

        Returns:
            Feature ``fc5``, not normalised; float32 (N, 512).
        """
        x = faces
        for stage, (_, pairs) in enumerate(_STAGES, start=1):
            x = self._layer(x, stage, 1)
            for pair in range(pairs):
                x = x + self._layer(self._layer(x, stage, 2 + 2 * pair), stage, 3 + 2 * pair)
        embeddings: Tensor = self.fc5(x.flatten(1))
        return embeddings

    def _layer(self, x: Tensor, stage: int, index: int) -> Tensor:
        convolved = self.get_submodule(f"conv{stage}_{index}")(x)
        activated: Tensor = self.get_submodule(f"relu{stage}_{index}")(convolved)
        return activated
