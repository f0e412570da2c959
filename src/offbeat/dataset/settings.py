"""What a build can be told; kept, resolved, with what it made."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator

from offbeat.dataset.rule import read_rule
from offbeat.dataset.schema import MOST_S
from offbeat.timing import delay_grid, exact_seconds

Seconds = Annotated[
    Fraction,
    BeforeValidator(exact_seconds),
    PlainSerializer(lambda value: float(value) if value.denominator <= 1000 else str(value)),
]


RANDOM = "random"
EVENTFUL = "eventful"
EVENTFUL_WINDOWS = 8
"""All of them are decoded."""
CONDITION_WINDOWS = 20
"""Decoded until one satisfies the condition."""


class BuildSettings(BaseModel):
    """The study's own settings are the defaults: 3, 5, 7 and 10 s, 21 delays from -5 to +5 s."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lengths_s: tuple[Seconds, ...] = (Fraction(3), Fraction(5), Fraction(7), Fraction(10))
    """Clip lengths."""
    delays_s: tuple[Seconds, ...] = delay_grid(Fraction(5), Fraction(1, 2))
    """Audio delays, > 0: the sound comes later; 0 should be among them."""
    clips_per_source: int = Field(default=1, ge=1, le=1000)
    """Clips of each length from each source."""
    seed: int = Field(default=0, ge=0)
    """Of the random choice of windows."""
    audio: Literal["aac", "flac"] = "aac"
    """AAC-LC as users ship it, or FLAC without loss; 48 kHz both."""
    layout: Literal["files", "compact"] = "files"
    """A file for each variant, or what the variants of a clip share, from which they are rendered when wanted."""
    select: str = RANDOM
    """Which window becomes the clip: `random`, `eventful`, or a condition (`offbeat.dataset.selection`)."""
    height: int | None = Field(default=None, ge=2, le=4320)
    """Scale the picture to at most this many lines; None keeps the source's own size."""
    audio_track: int | None = Field(default=None, ge=0, le=31)
    """Which sound track of each source, counted from 0; None takes the default one."""
    picture: Literal["encode", "copy"] = "encode"
    """Encode each clip's picture, or take over the source's packets where windows can be found that allow it."""

    @property
    def windows(self) -> int:
        """How many windows may be looked at for one clip."""
        return {RANDOM: 1, EVENTFUL: EVENTFUL_WINDOWS}.get(self.select, CONDITION_WINDOWS)

    @field_validator("select")
    @classmethod
    def _select(cls, value: str) -> str:
        return value if value in (RANDOM, EVENTFUL) else read_rule(value).text

    @field_validator("lengths_s")
    @classmethod
    def _lengths(cls, value: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        if not value or any(length <= 0 or length > MOST_S for length in value):
            raise ValueError(f"clip lengths must lie above 0 and at most {MOST_S} s, got {[float(v) for v in value]}")
        return tuple(sorted(set(value)))

    @field_validator("delays_s")
    @classmethod
    def _delays(cls, value: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
        if not value or any(abs(delay) > MOST_S for delay in value):
            raise ValueError(f"delays must lie within {MOST_S} s, got {[float(v) for v in value]}")
        return tuple(sorted(set(value)))
