"""Which tables and figures there are for what was given, and a sentence for each that there is nothing for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.paper.figures import charts, comparisons
from reports.paper.figures.canvas import Drawn
from reports.paper.tables import content
from reports.paper.tables.layout import Table
from reports.paper.tables.settings import SCALES, scales_of
from reports.paper.tables.table_3 import table_3
from reports.runs.images import Pictures
from reports.runs.inputs import Given
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


def tables_of(given: Given, *, with_published: bool) -> tuple[list[Table], list[str]]:
    """The tables, and what is missing for the others."""
    runs = given.runs
    made = [
        *(content.table_1(runs, scale, with_published=with_published) for scale in SCALES),
        *(content.table_2(runs, scale, with_published=with_published) for scale in SCALES),
        table_3(given.ablations, with_published=with_published),
        *(content.table_4(runs, scale, with_published=with_published) for scale in SCALES),
        content.table_5(runs, with_published=with_published),
        *(content.table_6(runs, part, with_published=with_published) for part in "ab"),
        content.table_7(runs, with_published=with_published),
    ]
    gaps = [f"{table.stem}: nothing given has any of its numbers." for table in made if table.empty]
    for run in runs:
        if not scales_of(run):
            gaps.append(f"{run.folder_name}: its LR faces are neither 16 nor 32 pixels wide, as the paper's are.")
        elif run.kind == "verification":
            gaps.append(f"{run.folder_name}: the paper has no table of verification.")
    return [_warned(table, runs) for table in made if not table.empty], gaps


def _warned(table: Table, runs: Sequence[Run]) -> Table:
    """A table below which stands what its runs warn of."""
    shown = {value.source for row in table.rows for cell in row.cells.values() for value in cell if value}
    told = [
        f"{run.record.label} ({run.folder_name}): {warning}"
        for run in runs
        if run.folder_name in shown
        for warning in run.record.warnings
    ]
    return replace(table, notes=(*table.notes, *told))


def figures_of(given: Given, *, with_published: bool) -> tuple[list[Drawn], list[str], list[str]]:
    """The figures, what is missing for the others, and which images are damaged."""
    runs = given.runs
    with Pictures() as pictures:
        made = {
            "figure-8": charts.figure_8(given.ablations, with_published=with_published),
            "figure-8-faces": charts.figure_8_faces(runs, pictures),
            "figure-10": comparisons.figure_10(runs, pictures),
            "figure-11": comparisons.figure_11(runs, pictures),
            "figure-12": comparisons.figure_12(runs, pictures),
            "figure-13": comparisons.figure_13(runs, pictures),
            "figure-14": charts.figure_14(runs),
            "figure-15": charts.figure_15(given.votes),
        }
        faults = list(pictures.faults)
    gaps = [f"{stem}: needs {_NEEDS[stem]}." for stem, figure in made.items() if figure is None]
    gaps += [f"{tally.source}: figure 15 shows the first tally." for tally in given.votes[1:]]
    return [figure for figure in made.values() if figure is not None], gaps, faults
