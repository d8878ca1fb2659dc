"""Python files with torch networks, as users have them."""

from __future__ import annotations

from pathlib import Path

UPSCALER = """
import torch


class Upscaler(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        return torch.nn.functional.interpolate(x, scale_factor=8, mode="bicubic") * self.gain


class Normed(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3)

    def forward(self, x):
        return torch.nn.functional.interpolate(self.norm(x), scale_factor=8)


class Embedder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(48, 16))

    def forward(self, x):
        return self.body(x)


class NoEmbedding(torch.nn.Module):
    def forward(self, x):
        return x


not_a_class = 3


def function():
    return 5


class Broken(torch.nn.Module):
    def __init__(self):
        raise RuntimeError("no GPU here")
"""


def write_networks(folder: Path) -> Path:
    """Write ``net.py``."""
    path = folder / "net.py"
    path.write_text(UPSCALER)
    return path
