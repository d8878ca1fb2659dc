"""The weight files that come with the package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = Path(__file__).parent.parent / "weights"
HOW_TO_GET = (
    "They come with the package; or train your own (bench train {network} --help) and name the file: "
    "{network}:weights=FILE."
)


def shipped_name(network: str, lr: int) -> str:
    """Name of the shipped weight file of a network for LR faces of this side; 0 for a network of all sizes."""
    return f"{network}-{128 // lr}x.safetensors" if lr else f"{network}.safetensors"


def shipped_missing(network: str, *names: str) -> str | None:
    """Why a network cannot run without the argument ``weights``; None if one of the named files is shipped."""
    if any((SHIPPED / name).is_file() for name in names):
        return None
    return f"The weights {' and '.join(names)} are not here. {HOW_TO_GET.format(network=network)}"
