"""A small table of text for people: columns lined up, nothing that a terminal would act upon."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(header: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    """Numbers to the right, words to the left, two blanks between; the cells' own line breaks and escapes shown."""
    cells = [list(header), *([one_line(str(cell)) for cell in row] for row in rows)]
    right = [all(isinstance(row[column], int) for row in rows) for column in range(len(header))]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def clip_count(number: int) -> str:
    """So many, in words."""
    return "1 clip" if number == 1 else f"{number:,} clips"


def printable(text: str) -> str:
    """Text of others, line by line: what a terminal would act upon is shown as its escape."""
    return "\n".join(_shown(line) for line in text.split("\n"))


def one_line(text: str, longest: int = 200) -> str:
    """Text of others on one line of a terminal: what cannot be printed as its escape, what is too long cut."""
    shown = _shown(text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
