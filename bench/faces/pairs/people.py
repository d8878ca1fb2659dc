"""Names of people that must not be in a set: those of a pack's training part, or of a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.errors import DataError
from bench.faces.pairs.pack import Pack
from bench.io.textfiles import read_lines


def people_trained_on(sources: Sequence[Path]) -> frozenset[str]:
    """Identity labels of the training parts of packs (.npz), and the lines of text files.

    Raises:
        DataError: a file cannot be read, or a pack has no identity labels in its training part.
    """
    names: set[str] = set()
    for source in sources:
        if source.suffix == ".npz":
            pack = Pack(source)
            labels = () if pack.groups is None else pack.groups.identity[pack.indices(test=False)].tolist()
            labelled = {label for label in labels if label}
            if not labelled:
                raise DataError(f"{source} has no identity labels. Pack it with --identities, or give a list of names.")
            names |= labelled
        else:
            names |= {line.strip() for _, line in read_lines(source) if line.strip()}
    return frozenset(names)
