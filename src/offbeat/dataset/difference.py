"""Something in a dataset that is not what the dataset says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wrong.

    Attributes:
        file: which file, relative to the dataset folder, with the line where it is a list; or which clip.
        field: what of it.
        found: what is there.
        expected: what should be there.
    """

    file: str
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: found {self.found}, expected {self.expected}"
