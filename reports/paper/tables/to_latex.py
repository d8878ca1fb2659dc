"""Tables as LaTeX: booktabs, best in bold; text is escaped so that a name can neither be a command nor stop a run."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from reports.paper.tables.layout import PUBLISHED, Column, Row, Table
from reports.text.numbers import GAP, plain, shorten

LONGEST = 80
"""Characters of a name."""
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": "{-}",  # two in a row would be a dash
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    "⋆": r"$\star$",
    "×": r"\texttimes{}",
    "±": r"\textpm{}",
    "°": r"\textdegree{}",
    "−": r"\textminus{}",
    "·": r"\textperiodcentered{}",
    "…": r"\ldots{}",
    "–": "--",
    "‹": r"\guilsinglleft{}",
    "›": r"\guilsinglright{}",
    "Δ": r"$\Delta$",
}


def escape(value: object) -> str:
    """Text in which nothing is LaTeX; letters that pdfLaTeX may not have are shown by their code points."""
    return "".join(_SPECIAL.get(c) or (c if _known(c) else _code(c)) for c in plain(value))


def to_latex(table: Table, mark: str) -> str:
    """A ``table*`` environment that needs booktabs, graphicx and textcomp.

    Args:
        table: what to lay out.
        mark: first line, a comment: who made the file.
    """
    best = table.best()
    wide = len(table.columns) + 1
    lines = [f"% {mark}", *(f"% {plain(banner)}" for banner in table.banners), r"\begin{table*}[htbp]", r"\centering"]
    banner = "".join(rf" \textbf{{{escape(text)}}}." for text in table.banners)
    lines.append(rf"\caption{{{escape(table.title)} (Table {table.number} of Zhang et al. 2021).{banner}}}")
    lines.append(rf"\label{{tab:{table.stem}}}")
    lines += [
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'c' * len(table.columns)}}}",
        r"\toprule",
    ]
    lines += [*_heads(table.columns), r"\midrule"]
    body: list[tuple[str, str]] = []
    for at, row in enumerate(table.rows):
        cells = [_cell(table, at, row, column, best) for column in table.columns]
        body.append((row.block, " & ".join([escape(shorten(row.name, LONGEST)), *cells])))
    lines += _blocks(body, wide)
    if table.published:
        lines += [r"\midrule", rf"\multicolumn{{{wide}}}{{l}}{{\textbf{{{escape(PUBLISHED)}}}}} \\", r"\midrule"]
        lines += _blocks([(key[0], " & ".join(_published(table, key))) for key in table.printed_rows], wide)
    lines += [r"\bottomrule", r"\end{tabular}}", r"\par\smallskip\footnotesize\raggedright"]
    lines += [f"{escape(note)}\\par" for note in table.notes]
    lines += [*(f"% {plain(line)}" for line in table.ran()), r"\end{table*}"]
    return "\n".join(lines) + "\n"


def _known(c: str) -> bool:
    return c.isascii() or ("À" <= c <= "ž" and unicodedata.category(c)[0] == "L")


def _code(c: str) -> str:
    return rf"{{U+{ord(c):04X}}}"


def _heads(columns: Sequence[Column]) -> list[str]:
    """A line for each level; equal headings beside each other, under the same ones, span their columns."""
    lines = []
    depth = max((len(column.heads) for column in columns), default=1)
    for deep in range(1, depth + 1):
        parts, rules, place = [], [], 2
        for heads, group in groupby(columns, partial(_down_to, deep)):
            span = len(list(group))
            text = escape(shorten(heads[-1], LONGEST))
            parts.append(rf"\multicolumn{{{span}}}{{c}}{{{text}}}")
            rules.append(rf"\cmidrule(lr){{{place}-{place + span - 1}}}")
            place += span
        first = "Method" if deep == depth else ""
        lines.append(f"{first} & {' & '.join(parts)} \\\\" + ("" if deep == depth else " " + "".join(rules)))
    return lines


def _down_to(deep: int, column: Column) -> tuple[str, ...]:
    return column.heads[:deep]


def _blocks(body: Sequence[tuple[str, str]], wide: int) -> list[str]:
    lines: list[str] = []
    for block, rows in groupby(body, lambda item: item[0]):
        if block:
            lines.append(rf"\multicolumn{{{wide}}}{{l}}{{\textit{{{escape(block)}}}}} \\")
        lines += [rf"{text} \\" for _, text in rows]
    return lines


def _cell(table: Table, at: int, row: Row, column: Column, best: set[tuple[int, str, int]]) -> str:
    parts = table.cell(row, column)
    if not any(parts):
        return "--"
    texts = [escape(GAP if value is None else value.text) for value in parts]
    return "/".join(
        rf"\textbf{{{text}}}" if (at, column.key, part) in best else text for part, text in enumerate(texts)
    )


def _published(table: Table, key: tuple[str, str]) -> list[str]:
    name = table.names.get(key[1], key[1])
    return [escape(name), *(escape(table.printed(key, column)) for column in table.columns)]
