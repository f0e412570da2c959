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


class Study(BaseModel):
    """Where the rows come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    citation: str
    link: str
    material: str


class Published(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: Study
    row: tuple[PublishedRow, ...]


def load_published() -> Published:
    """The published rows that come with Offbeat."""
    text = files("offbeat.report").joinpath("published.toml").read_text(encoding="utf-8")
    return Published.model_validate(tomllib.loads(text))
