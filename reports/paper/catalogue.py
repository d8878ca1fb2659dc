"""Makes the tables and figures of the paper, and a sentence for each that cannot be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.results.kinds import VERIFICATION
from reports.paper.figures import charts, comparisons
from reports.paper.figures.canvas import PaperFigure
from reports.paper.tables import content
from reports.paper.tables.layout import Table
from reports.paper.tables.settings import SCALES, scales_of
from reports.paper.tables.table_3 import table_3
from reports.runs.images import Pictures
from reports.runs.inputs import PaperInputs
from reports.runs.run import Run

_NEEDS = {
    "figure-8": "tables of `bench ablate` with v-tn and v+gt",
    "figure-8-faces": "restoration runs of VividGAN and of weights named v-tn, with images",
    "figure-10": "restoration runs on Multi-PIE at 8x, with images",
    "figure-11": "restoration runs on CelebA or MMI at 8x, with images",
    "figure-12": "a restoration run of VividGAN, with images",
    "figure-13": "searches by VividGAN in TinyFace or DroneSURF, with images",
    "figure-14": "expression runs",
    "figure-15": "a tally of `bench userstudy tally --out`",
}


def make_tables(inputs: PaperInputs, *, with_published: bool) -> tuple[list[Table], list[str]]:
    """The tables, and sentences on those without numbers."""
    runs = inputs.runs
    tables = [
        *(content.table_1(runs, scale, with_published=with_published) for scale in SCALES),
        *(content.table_2(runs, scale, with_published=with_published) for scale in SCALES),
        table_3(inputs.ablations, with_published=with_published),
        *(content.table_4(runs, scale, with_published=with_published) for scale in SCALES),
        content.table_5(runs, with_published=with_published),
        *(content.table_6(runs, part, with_published=with_published) for part in "ab"),
        content.table_7(runs, with_published=with_published),
    ]
    gaps = [f"{table.stem}: no input has any of its numbers." for table in tables if table.empty]
    for run in runs:
        if not scales_of(run):
            gaps.append(f"{run.folder_name}: its LR faces are neither 16 nor 32 pixels wide, as the paper's are.")
        elif run.kind == VERIFICATION:
            gaps.append(f"{run.folder_name}: the paper has no table of verification.")
    return [_with_warnings(table, runs) for table in tables if not table.empty], gaps


def _with_warnings(table: Table, runs: Sequence[Run]) -> Table:
    """The table with the warnings of its runs as notes."""
    shown = {value.source for row in table.rows for cell in row.cells.values() for value in cell if value}
    warnings = [
        f"{run.record.label} ({run.folder_name}): {warning}"
        for run in runs
        if run.folder_name in shown
        for warning in run.record.warnings
    ]
    return replace(table, notes=(*table.notes, *warnings))


def make_figures(inputs: PaperInputs, *, with_published: bool) -> tuple[list[PaperFigure], list[str], list[str]]:
    """The figures, sentences on those that cannot be made, and faults of images."""
    runs = inputs.runs
    with Pictures() as pictures:
        figures = {
            "figure-8": charts.figure_8(inputs.ablations, with_published=with_published),
            "figure-8-faces": charts.figure_8_faces(runs, pictures),
            "figure-10": comparisons.figure_10(runs, pictures),
            "figure-11": comparisons.figure_11(runs, pictures),
            "figure-12": comparisons.figure_12(runs, pictures),
            "figure-13": comparisons.figure_13(runs, pictures),
            "figure-14": charts.figure_14(runs),
            "figure-15": charts.figure_15(inputs.votes),
        }
        faults = list(pictures.faults)
    gaps = [f"{stem}: needs {_NEEDS[stem]}." for stem, figure in figures.items() if figure is None]
    gaps += [f"{tally.source}: figure 15 shows the first tally." for tally in inputs.votes[1:]]
    return [figure for figure in figures.values() if figure is not None], gaps, faults
