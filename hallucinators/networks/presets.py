"""Checks of presets and LR sides."""

from __future__ import annotations

from collections.abc import Collection

from bench.errors import UsageError

LR_SIDES = (16, 32)


def refuse_unknown(
    method: str, preset: str, presets: Collection[str], lr: int | None = None, sizes: Collection[int] = LR_SIDES
) -> None:
    """Refuse a preset or LR side that a method does not have.

    Args:
        method: its name, for the message.
        preset: the requested preset.
        presets: known presets.
        lr: side of the LR faces; None if the method takes any.
        sizes: known sides.

    Raises:
        UsageError: the preset or the side is unknown.
    """
    if preset not in presets:
        raise UsageError(f"{method} has no preset {preset!r}; known are {', '.join(presets)}")
    if lr is not None and lr not in sizes:
        raise UsageError(f"{method} takes LR faces of {' or '.join(map(str, sizes))} pixels, not {lr}")
