r"""A table as LaTeX that fits the width of a page: it says at its head which packages it needs.

An interval stands in small type under its figure. Where a table has more columns than a page has room for, each of its
parts (`Table.parts`) is a table of its own, with the names of the rows. Where two columns name a row, the first becomes
a line of its own above its rows. With names of up to 20 letters all of it fits the text of the class `article`, 345 pt
wide, as `pdflatex` finds in the tests.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise

from offbeat.analysis.intervals import Estimate
from offbeat.report.figure_words import ends
from offbeat.report.paper.tables import Cell, Column, Table
from offbeat.report.paper.words import one_line, shown
from offbeat.report.words import NOTHING

HEAD = r"""% Needs in the preamble: \usepackage[T1]{fontenc} and \usepackage{booktabs}.
% Compiles with pdflatex; with names in other than Latin letters, with xelatex or lualatex and a font that has them.
"""
LINE = 11
"""Letters of a column's title on one line."""
WORDS_WIDTH = "60mm"
"""Of a column of sentences."""
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # after the line break of a row, a bare one would begin its optional argument
    "]": "{]}",
    "−": "$-$",
    "′": "$'$",
    "κ": r"$\kappa$",
    "–": "--",
    "·": r"$\cdot$",
}


def as_latex(table: Table) -> str:
    """A ``table`` for each part, for the package booktabs."""
    starts = (table.key + 1, *table.parts, len(table.columns))
    parts = [[table.key, *range(first, last)] for first, last in pairwise(starts)]
    return HEAD + "\n".join(_part(table, places, number) for number, places in enumerate(parts, start=1))


def _part(table: Table, places: Sequence[int], number: int) -> str:
    caption, label = (f"{table.caption} Part {number}.", f"-{number}") if number > 1 else (table.caption, "")
    lines = [
        r"\begin{table}",
        rf"\caption{{{_latex(one_line(caption))}}}",
        rf"\label{{tab:{table.name}{label}}}",
        r"\centering\footnotesize\setlength{\tabcolsep}{2.5pt}",
        _tabular(table, places),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tabular(table: Table, places: Sequence[int]) -> str:
    columns = [table.columns[place] for place in places]
    lines = [rf"\begin{{tabular}}{{{''.join(_kind(table, place) for place in places)}}}", r"\toprule"]
    lines += [*_title_rows(columns), r"\midrule"]
    above: Cell = None
    for row in table.rows:
        cells = [(table.columns[place], row[place]) for place in places]
        if table.heading is not None and row[table.heading] != above:
            above = row[table.heading]
            words = _latex(shown(table.columns[table.heading], above))
            lines.append(rf"\multicolumn{{{len(places)}}}{{l}}{{\emph{{{words}}}}} \\")
        lines.append(_row([shown(column, cell, interval=False) for column, cell in cells]))
        intervals = [_interval(column, cell) for column, cell in cells]
        if any(intervals):
            lines.append(_row(intervals, r"\scriptsize "))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _kind(table: Table, place: int) -> str:
    if place == table.key:
        return "l"
    return f"p{{{WORDS_WIDTH}}}" if any(isinstance(row[place], str) for row in table.rows) else "r"


def _title_rows(columns: Sequence[Column]) -> list[str]:
    """Titles on as many lines as the longest needs, all of them ending on the last."""
    titles = [textwrap.wrap(one_line(column.title), LINE, break_long_words=False) or [""] for column in columns]
    height = max(map(len, titles))
    return [_row(list(line)) for line in zip(*([""] * (height - len(t)) + t for t in titles), strict=True)]


def _interval(column: Column, cell: Cell) -> str:
    if not isinstance(cell, Estimate):
        return ""
    interval = ends(column.figure or "accuracy", cell)
    return "" if interval == NOTHING else interval


def _row(cells: Sequence[str], size: str = "") -> str:
    return " & ".join(size + _latex(cell) if cell else "" for cell in cells) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
