"""A cell of a table in words, as all formats that people read show it."""

from __future__ import annotations

from offbeat.report.figure_words import ends, number, p_value
from offbeat.report.paper.tables import Cell, Column
from offbeat.report.words import NOTHING, count, visible

MARKDOWN = "\\`*_[]|#$~^@{}"
"""What GitHub or pandoc act upon in a line; pandoc takes $ for formulas, ~ and ^ for small print, @ for sources."""


def shown(column: Column, cell: Cell, *, interval: bool = True) -> str:
    """The cell in the unit of its column, with its interval in brackets where that is wanted and there is one."""
    if cell is None:
        return NOTHING
    if isinstance(cell, int):
        return count(cell)
    if isinstance(cell, float):
        return p_value(cell)
    if isinstance(cell, str):
        return one_line(cell)
    name = column.figure or "accuracy"
    brackets = ends(name, cell) if interval else NOTHING
    return number(name, cell.value) + ("" if brackets == NOTHING else f" {brackets}")


def one_line(text: str) -> str:
    """Text of others without line breaks."""
    return " ".join(visible(text).split())
