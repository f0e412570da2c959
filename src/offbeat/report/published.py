"""Figures that others have published, read from ``published.toml``: as printed, on other material.

They stand beside the measured rows, never among them: other videos, other clips, another way of shifting.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field


class PublishedRow(BaseModel):
    """One model's figures, in per cent as they were printed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    accuracy: float = Field(ge=0, le=100)
    protocol: str
    note: str
    by_genre: dict[str, float] = Field(default_factory=dict[str, float])
    balanced: float | None = None
    """Balanced accuracy: ours, where it follows from what is printed."""
    observer: bool = True
    """Whether it is one; a uniform guess is not."""


class Study(BaseModel):
    """Where the rows come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    citation: str
    link: str
    material: str


class OtherRow(BaseModel):
    """One model's figures in another paper."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    figures: dict[str, float]
    computed: dict[str, float] = Field(default_factory=dict[str, float])
    """Ours, from the printed ones, by the paper's `rule`."""
    accuracies: tuple[str, ...] = ()
    """Those of `figures` that are the accuracy of sync, ahead or behind, and are printed nowhere else."""
    note: str = ""


class OtherPaper(BaseModel):
    """A table of another paper, of another task than ours or another material."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    citation: str
    link: str = Field(pattern=r"^https://")
    material: str
    protocol: str
    unit: str
    rule: str = ""
    rows: tuple[OtherRow, ...]

    def three_way(self, row: OtherRow) -> list[tuple[str, float | None, float | None]]:
        """What a row says of the question sync, ahead or behind: on which material, balanced and raw accuracy."""
        found: list[tuple[str, float | None, float | None]] = []
        if "balanced" in row.computed:
            found.append((self.name, row.computed["balanced"], None))
        found += [(f"{self.name}, {name}", None, row.figures[name]) for name in row.accuracies]
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the printed figures, in the order in which they first appear."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.figures))

    @property
    def computed(self) -> tuple[str, ...]:
        """The same for those that are ours."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.computed))


class Published(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: Study
    row: tuple[PublishedRow, ...]
    other: tuple[OtherPaper, ...] = ()


def load_published() -> Published:
    """The published rows that come with Offbeat."""
    text = files("offbeat.report").joinpath("published.toml").read_text(encoding="utf-8")
    return Published.model_validate(tomllib.loads(text))
