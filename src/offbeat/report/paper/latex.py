r"""A table as LaTeX that fits the width of a page: it says at its head which packages it needs.

An interval stands in small type under its figure. Where a table has more columns than a page has room for, each of its
parts (`Table.parts`) is a table of its own, with the names of the rows. Where two columns name a row, the first becomes
a line of its own above its rows. A name that is longer than its column goes on in the lines below, so that all of it
fits the text of the class `article`, 345 pt wide, as `pdflatex` finds in the tests.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import pairwise, zip_longest

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
NAME, HEADING = 16, 76
"""How wide the name of a row, and one above its rows, may be on one line, in the widths of a small a (4.25 pt)."""
WORDS_WIDTH = "60mm"
"""Of a column of sentences."""
_NARROW, _WIDE = frozenset(" !'(),-.:;[]fijlrt|"), frozenset("%&@mw")
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
    "†": r"$\dagger$",
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
            lines += [
                rf"\multicolumn{{{len(places)}}}{{l}}{{\emph{{{_latex(part)}}}}} \\"
                for part in _broken(shown(table.columns[table.heading], above), HEADING)
            ]
        name, *more = _broken(shown(*cells[0]), NAME)
        lines.append(_row([_latex(name), *(_figure(column, cell) for column, cell in cells[1:])]))
        intervals = [_interval(column, cell) for column, cell in cells[1:]]
        nothing = [""] * len(intervals)
        for part, below in zip_longest(more, [intervals] if any(intervals) else []):
            lines.append(_row([_latex(part or ""), *(below or nothing)]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _kind(table: Table, place: int) -> str:
    if place == table.key:
        return "l"
    return f"p{{{WORDS_WIDTH}}}" if any(isinstance(row[place], str) for row in table.rows) else "r"


def _title_rows(columns: Sequence[Column]) -> list[str]:
    """Titles on as many lines as the longest needs, all of them ending on the last."""
    titles = [textwrap.wrap(one_line(column.title), LINE, break_long_words=False) or [""] for column in columns]
    height = max(map(len, titles))
    return [
        _row([_latex(word) for word in line])
        for line in zip(*([""] * (height - len(t)) + t for t in titles), strict=True)
    ]


def _figure(column: Column, cell: Cell) -> str:
    text = _latex(shown(column, cell, interval=False))
    return re.sub(r"(?<=[:/])(?=\S)|(?<=\\_)", r"\\allowbreak{}", text) if isinstance(cell, str) else text


def _interval(column: Column, cell: Cell) -> str:
    interval = ends(column.figure or "accuracy", cell) if isinstance(cell, Estimate) else NOTHING
    return "" if interval == NOTHING else rf"\scriptsize {_latex(interval)}"


def _broken(text: str, most: float) -> list[str]:
    """The lines of a name, none wider than that, broken after blanks, colons, slashes, hyphens where there are any."""
    lines = [""]
    for piece in re.split(r"(?<=[\s:/_-])", text):
        if lines[-1] and _width(lines[-1] + piece.rstrip()) > most:
            lines.append("")
        for letter in piece:
            if _width(lines[-1] + letter.strip()) > most:
                lines.append("")
            lines[-1] += letter
    return [line.rstrip() for line in lines]


def _width(text: str) -> float:
    """About how many times as wide as a small a."""
    return sum(
        0.65 if letter in _NARROW else 1.6 if letter in _WIDE or not letter.isascii() or letter.isupper() else 1
        for letter in text
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
