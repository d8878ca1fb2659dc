"""Writes the tables and figures of the paper from runs: LaTeX, Markdown, CSV, SVG and PDF. Needs no torch.

Imports the page, runs, statistics and text of `reports`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

INDEX, DOCUMENT = "index.md", "paper.tex"
TABLES = (
    *(f"table-{number}-{scale}x" for number in (1, 2) for scale in (8, 4)),
    "table-3",
    "table-4-8x",
    "table-4-4x",
    "table-5",
    "table-6a",
    "table-6b",
    "table-7",
)
FIGURES = ("figure-8", "figure-8-faces", *(f"figure-{number}" for number in range(10, 16)))
FILES = (
    INDEX,
    DOCUMENT,
    *(f"{stem}.{end}" for stem in TABLES for end in ("md", "tex", "csv")),
    *(f"{stem}.{end}" for stem in FIGURES for end in ("svg", "pdf")),
)
"""All files that may be written."""
_log = logging.getLogger(__name__)


def build(paths: Sequence[Path], out: Path, *, with_published: bool = False) -> list[Path]:
    """Write the tables and figures for which the inputs have numbers, and list the others.

    Equal runs in the same order give equal bytes.

    Args:
        paths: run folders, folders of ``bench ablate``, and tallies of ``bench userstudy tally --out``, in any order.
        out: the folder; an earlier one of this kind is replaced.
        with_published: also the numbers of the paper, labelled as of other data.

    Returns:
        The files written, ``index.md`` first.

    Raises:
        UsageError: no inputs, or smoke runs on other probes than the others.
        MissingError: an input does not exist.
        DataError: all inputs are damaged.
        BenchError: ``out`` contains other files, or the disk is full; ``out`` is then unchanged.
    """
    from reports.page.folder import check_folder, write_folder
    from reports.paper.catalogue import make_figures, make_tables
    from reports.paper.index import MARK, to_document, to_index
    from reports.paper.tables.to_csv import to_csv
    from reports.paper.tables.to_latex import to_latex
    from reports.paper.tables.to_markdown import to_markdown
    from reports.runs.inputs import read_inputs
    from reports.text.numbers import plain

    check_folder(out, FILES)
    inputs = read_inputs(paths)
    for item in inputs.skipped:
        _log.warning("Left out of the tables: %s. %s", plain(item.folder_name), plain(item.reason))
    tables, gaps = make_tables(inputs, with_published=with_published)
    figures, figure_gaps, faults = make_figures(inputs, with_published=with_published)
    files: dict[str, str | bytes] = {
        INDEX: to_index(tables, figures, inputs, faults, [*gaps, *figure_gaps], with_published=with_published),
        DOCUMENT: to_document(tables, figures),
    }
    for table in tables:
        files |= {
            f"{table.stem}.md": to_markdown(table, MARK),
            f"{table.stem}.tex": to_latex(table, MARK),
            f"{table.stem}.csv": to_csv(table),
        }
    for figure in figures:
        files |= {f"{figure.stem}.svg": figure.svg, f"{figure.stem}.pdf": figure.pdf}
    return write_folder(out, files, FILES)
