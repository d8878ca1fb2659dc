"""Discriminator of real frontal faces; Coarse-D and Fine-D are two instances of it (section III-C)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from bench.errors import DataError, UsageError

Dropout = Literal["element", "channel"]


class Discriminator(nn.Module):
    """The discriminator of X. Yu's networks (XinYuANU/JFFH, Model.lua), which the public code of VividGAN copies.

    Four 5 x 5 convolutions, each followed by max pooling, then two fully connected layers; no norm. The output is a
    logit: the sigmoid is in the loss (equation 7). Faces are scaled to [-1, 1] inside. Initial weights are N(0, 0.02)
    as in the public code of VividGAN.
    """

    def __init__(self, *, width: float = 1.0, dropout: Dropout = "element") -> None:
        """Build the network.

        Args:
            width: factor on all channels; 1 is the authors' size.
            dropout: after the convolutions, of single values (VividGAN's code) or whole channels (TANN's).

        Raises:
            UsageError: a width that is not positive, or another dropout.
        """
        super().__init__()
        if not width > 0:
            raise UsageError(f"discriminator: width is {width}; it must be positive")
        if dropout not in ("element", "channel"):
            raise UsageError(f"discriminator: dropout is {dropout!r}; it must be 'element' or 'channel'")
        a, b, c, d, hidden = (max(1, round(width * n)) for n in (32, 64, 128, 96, 1024))
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, a), (a, b), (b, c), (c, d)):
            drop = nn.Dropout(0.2) if dropout == "element" else nn.Dropout2d(0.2)
            layers += [nn.Conv2d(inputs, outputs, 5, padding=2), nn.MaxPool2d(2), nn.ReLU(), drop]
        self.features = nn.Sequential(*layers)
        self.judge = nn.Sequential(nn.Linear(64 * d, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, 1))
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, faces: Tensor) -> Tensor:
        """Logits, float32 (N,), higher for real, of (N, 3, 128, 128) RGB in [0, 1].

        Raises:
            DataError: the faces have another shape.
        """
        if faces.ndim != 4 or faces.shape[1:] != (3, 128, 128):
            raise DataError(f"discriminator: faces are (N, 3, 128, 128), given {tuple(faces.shape)}")
        logits: Tensor = self.judge(self.features(2 * faces - 1).flatten(1))
        return logits[:, 0].float()
