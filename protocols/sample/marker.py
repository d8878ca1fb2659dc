"""Files that mark a sample, so that its figures are not taken for those of the database."""

from __future__ import annotations

import json
from pathlib import Path

from bench.digests.closure import closure_digest
from protocols.sample.files import write_text
from protocols.sample.summary import Sample, SampleSummary

NOTICE, RECORD = "SAMPLE.txt", "sample.json"
SCHEMA = 1


def is_sample(root: Path) -> bool:
    """Whether a folder is a sample; one of the two files suffices, also in a damaged sample."""
    return (root / RECORD).is_file() or (root / NOTICE).is_file()


def version(sample: Sample) -> str:
    """Twelve digits of a digest of the writer, the painters and the face model, which determine a sample.

    Raises:
        DataError: one of their sources cannot be read.
    """
    return closure_digest(sample.write.__module__, "protocols.sample.painter", __name__)[:12]


def write_marker(root: Path, summary: SampleSummary, painter: str) -> None:
    """Write both files at the root of a sample.

    Args:
        root: the sample.
        summary: what was written.
        painter: name of the painter.
    """
    record = {
        "sample": True,
        "database": summary.database,
        "identities": summary.identities,
        "seed": summary.seed,
        "painter": painter,
        "options": dict(summary.options),
        "schema": SCHEMA,
    }
    write_text(root / RECORD, json.dumps(record, indent=2, sort_keys=True) + "\n")
    write_text(
        root / NOTICE,
        f"This is a SAMPLE in the layout of {summary.database}, not {summary.database}.\n"
        f"Its {summary.identities} people do not exist: they were drawn from the seed {summary.seed} by the painter "
        f'"{painter}".\n'
        "It is for trying out programs. A figure measured on it says nothing about the database.\n",
    )
