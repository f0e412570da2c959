"""A table as Markdown or CSV; names are the models' and users' own, and hostile until escaped.

Markdown shows what the page shows: per cent with one decimal, the interval in brackets. CSV is for programs:
shares between 0 and 1, all digits, value and both ends in columns of their own. A text cell of a CSV that a spreadsheet
would take for a formula begins with an apostrophe.

Reference:
    OWASP, "CSV Injection": cells that begin with =, +, -, @, tab or carriage return.
"""

from __future__ import annotations

import csv
import io

from offbeat.analysis.intervals import Estimate
from offbeat.report.paper.tables import Cell, Column, Table
from offbeat.report.paper.words import MARKDOWN, one_line, shown

FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = {character: f"\\{character}" for character in MARKDOWN} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def as_markdown(table: Table) -> str:
    """A table as GitHub and pandoc read it, with its caption above."""
    rows = [[_markdown(one_line(column.title)) for column in table.columns]]
    rows.append(["---" if number == 0 else "---:" for number in range(len(table.columns))])
    rows += [[_markdown(shown(c, cell)) for c, cell in zip(table.columns, row, strict=True)] for row in table.rows]
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{_markdown(one_line(table.caption))}\n\n{body}\n"


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
    line = one_line(text)
    return f"'{line}" if line.startswith(FORMULA) else line


def _markdown(text: str) -> str:
    return "".join(_MARKDOWN.get(character, character) for character in text)
