"""The page that lists the tables and figures and the missing ones, and a LaTeX file with all of them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.page.folder import GENERATOR
from reports.page.to_markdown import escape
from reports.paper.figures.canvas import PaperFigure
from reports.paper.tables.layout import PUBLISHED, Table
from reports.paper.tables.to_latex import escape as tex
from reports.paper.tables.to_markdown import banner_lines, grid
from reports.runs.inputs import PaperInputs
from reports.text.numbers import plain

MARK = f"{GENERATOR}: tables and figures of the paper"
"""First line of every text file."""


def to_index(
    tables: Sequence[Table], figures: Sequence[PaperFigure], inputs: PaperInputs, faults: Sequence[str],
    absent: Sequence[str], *, with_published: bool,
) -> str:  # fmt: skip
    """The page ``index.md``."""
    banners = dict.fromkeys([*(b for t in tables for b in t.banners), *(b for f in figures for b in f.banners)])
    lines = [f"<!-- {MARK} -->", "# Tables and figures after Face Hallucination with Finishing Touches"]
    lines += [*banner_lines(list(banners)), ""]
    lines.append(
        "The numbers are from the runs named in each file. A dash is a missing value, never 0. The best value "
        "of each column is bold."
    )
    if with_published:
        lines += ["", f"{escape(PUBLISHED)}. Such numbers are in separate parts."]
    lines += [
        "",
        *grid(["", "Shows", "Files", "Labelled"], [_table_row(t) for t in tables] + [_figure_row(f) for f in figures]),
    ]
    if absent:
        lines += ["", "## Gaps", "", *(f"- {escape(text)}" for text in absent)]
    noted = [figure for figure in figures if figure.notes]
    if noted:
        lines += ["", "## Notes on figures"]
        for figure in noted:
            lines += ["", f"{_figure_name(figure)}:", "", *(f"- {escape(note)}" for note in figure.notes)]
    if inputs.skipped or faults:
        lines += ["", "## Left out", ""]
        lines += [f"- {escape(item.folder_name)}: {escape(item.reason)}" for item in inputs.skipped]
        lines += [f"- {escape(fault)}" for fault in faults]
    return "\n".join(lines) + "\n"


def to_document(tables: Sequence[Table], figures: Sequence[PaperFigure]) -> str:
    """The file ``paper.tex``, which can be compiled in the folder."""
    banners = dict.fromkeys([*(b for t in tables for b in t.banners), *(b for f in figures for b in f.banners)])
    lines = [f"% {MARK}", *(f"% {plain(banner)}" for banner in banners)]
    lines += [r"\documentclass[10pt]{article}", r"\usepackage[T1]{fontenc}", r"\usepackage[utf8]{inputenc}"]
    lines += [rf"\usepackage{{{name}}}" for name in ("textcomp", "booktabs", "graphicx")]
    lines += [r"\usepackage[margin=2cm]{geometry}", r"\begin{document}"]
    lines += [rf"\input{{{table.stem}}}" for table in tables]
    for figure in figures:
        banner = "".join(rf" \textbf{{{tex(text)}}}." for text in figure.banners)
        lines += [
            r"\begin{figure*}[htbp]",
            r"\centering",
            rf"\includegraphics[width=\textwidth,height=0.6\textheight,keepaspectratio]{{{figure.stem}.pdf}}",
            rf"\caption{{{tex(figure.title)} (Figure {figure.number} of Zhang et al. 2021).{banner}}}",
            r"\end{figure*}",
        ]
    return "\n".join([*lines, r"\end{document}"]) + "\n"


def _table_row(table: Table) -> list[str]:
    files = ", ".join(f"[{end}]({table.stem}.{end})" for end in ("md", "tex", "csv"))
    return [f"Table {table.number}", escape(table.title), files, escape("; ".join(table.banners))]


def _figure_row(figure: PaperFigure) -> list[str]:
    files = ", ".join(f"[{end}]({figure.stem}.{end})" for end in ("svg", "pdf"))
    return [_figure_name(figure), escape(figure.title), files, escape("; ".join(figure.banners))]


def _figure_name(figure: PaperFigure) -> str:
    return f"Figure {figure.number}" + (" (faces)" if figure.stem.endswith("-faces") else "")
