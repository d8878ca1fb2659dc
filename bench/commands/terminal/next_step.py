"""The suggested next command after a run: the same run together with one for comparison."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

SUGGESTED = "vividgan-flow"
_REPLACED = ("hallucinator", "label", "out", "overwrite", "protocol", "trust_times")


def comparing_command(protocol: str, hallucinator: str, flags: Mapping[str, object], file: Path | None = None) -> str:
    """The command that measures a hallucinator and the LR face; after a run of the LR face, with `SUGGESTED`.

    Args:
        protocol: of the run.
        hallucinator: its chain.
        flags: of its command line, by name; True for a flag without a value.
        file: its configuration file, or None.
    """
    other = SUGGESTED if hallucinator == "none" else hallucinator
    words = ["bench", "run", *([str(file)] if file else []), "--protocol", protocol]
    plain = not set(other) & set(":,")
    words += ["--hallucinator", f"none,{other}"] if plain else ["--hallucinator", "none", "--hallucinator", other]
    for name, value in flags.items():
        if name not in _REPLACED and value is not False:
            words += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return shlex.join(words)
