"""What a network is asked to be: a preset by name, for LR faces of a size."""

from __future__ import annotations

from collections.abc import Collection

from bench.errors import UsageError

LR_SIDES = (16, 32)


def refuse_unknown(
    method: str, preset: str, presets: Collection[str], lr: int | None = None, sizes: Collection[int] = LR_SIDES
) -> None:
    """See that a method has such a preset and takes such LR faces.

    Args:
        method: by name, for the message.
        preset: that is asked for.
        presets: there are.
        lr: side of the LR faces; None where the method takes any.
        sizes: it takes.

    Raises:
        UsageError: it does not.
    """
    if preset not in presets:
        raise UsageError(f"{method} has no preset {preset!r}; known are {', '.join(presets)}")
    if lr is not None and lr not in sizes:
        raise UsageError(f"{method} takes LR faces of {' or '.join(map(str, sizes))} pixels, not {lr}")
