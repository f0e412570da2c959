"""A table as Markdown, LaTeX or CSV; names are the models' and users' own, and hostile until escaped.

Markdown and LaTeX show what the page shows: per cent with one decimal, the interval in brackets. CSV is for programs:
shares between 0 and 1, all digits, value and both ends in columns of their own. A text cell of a CSV that a spreadsheet
would take for a formula begins with an apostrophe.

Reference:
    OWASP, "CSV Injection": cells that begin with =, +, -, @, tab or carriage return.
"""

from __future__ import annotations

import csv
import io

from offbeat.analysis.intervals import Estimate
from offbeat.report.figure_words import ends, number, p_value
from offbeat.report.paper.tables import Cell, Column, Table
from offbeat.report.words import NOTHING, count, visible

FORMULA = ("=", "+", "-", "@", "\t", "\r")
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
_MARKDOWN = {character: f"\\{character}" for character in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def as_markdown(table: Table) -> str:
    """A table as GitHub and pandoc read it, with its caption above."""
    rows = [[_markdown(_one_line(column.title)) for column in table.columns]]
    rows.append(["---" if number == 0 else "---:" for number in range(len(table.columns))])
    rows += [[_markdown(_shown(c, cell)) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{_markdown(_one_line(table.caption))}\n\n{body}\n"


def as_latex(table: Table) -> str:
    """A ``table`` with a ``tabular``, for the package booktabs."""
    lines = [
        r"\begin{table}",
        rf"\caption{{{_latex(_one_line(table.caption))}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
        r"\toprule",
        _latex_row([_one_line(column.title) for column in table.columns]),
        r"\midrule",
        *(_latex_row([_shown(c, cell) for c, cell in zip(table.columns, row, strict=True)]) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def as_csv(table: Table) -> str:
    """RFC 4180, UTF-8; a figure is three columns: value, lower and upper end."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    header: list[str] = []
    for column in table.columns:
        title = _no_formula(_without_unit(column.title) if column.figure else column.title)
        header += [title, f"{title}, low", f"{title}, high"] if column.figure else [title]
    writer.writerow(header)
    for row in table.rows:
        cells: list[str] = []
        for column, cell in zip(table.columns, row, strict=True):
            cells += _csv_cells(column, cell)
        writer.writerow(cells)
    return out.getvalue()


def _shown(column: Column, cell: Cell) -> str:
    if cell is None:
        return NOTHING
    if isinstance(cell, int):
        return count(cell)
    if isinstance(cell, float):
        return p_value(cell)
    if isinstance(cell, str):
        return _one_line(cell)
    name = column.figure or "accuracy"
    interval = ends(name, cell)
    return number(name, cell.value) + ("" if interval == NOTHING else f" {interval}")


def _csv_cells(column: Column, cell: Cell) -> list[str]:
    if isinstance(cell, Estimate):
        return ["" if value is None else repr(value) for value in (cell.value, cell.low, cell.high)]
    if cell is None:
        return [""] * (3 if column.figure else 1)
    if isinstance(cell, int | float):
        return [repr(cell)]
    return [_no_formula(cell)]


def _without_unit(title: str) -> str:
    return title.removesuffix(", %").removesuffix(", points")


def _no_formula(text: str) -> str:
    line = _one_line(text)
    return f"'{line}" if line.startswith(FORMULA) else line


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _markdown(text: str) -> str:
    return "".join(_MARKDOWN.get(character, character) for character in text)


def _latex_row(cells: list[str]) -> str:
    return " & ".join(_latex(cell) for cell in cells) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
