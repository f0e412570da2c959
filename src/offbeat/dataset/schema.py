"""The rows of a dataset folder: one JSON object a line, the same on disk and in memory.

`metadata.jsonl` holds one `VariantRow` a line and loads as a Hugging Face video folder; `sources.jsonl` one
`SourceRow` a line, the refused ones with their reason; `dataset.json` one `DatasetInfo`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from offbeat.timing import Label

FORMAT_VERSION = 1


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VariantRow(_Row):
    """One clip under one condition."""

    file_name: str
    """Relative to the dataset folder, with forward slashes."""
    variant_id: str
    clip_id: str
    source_id: str
    genre: str
    language: str | None
    condition: str
    """What was done to the sound: `delay`."""
    audio_delay_ms: float
    """> 0: the sound comes later than the picture."""
    label: Label
    clip_start_s: float
    """Where the picture starts in the source, counted from the start of its container."""
    clip_length_s: float
    overlap_s: float
    """How long picture and their own sound are both in the clip: max(0, length - |delay|)."""
    fps: float
    width: int
    height: int
    audio_hz: int
    measured_delay_ms: float | None
    """From the decoded file against the source; None where the sound is too quiet to tell."""
    sha256: str


class SourceRow(_Row):
    """One source as it was found, and what became of it."""

    source_id: str
    """The first 12 digits of the file's SHA-256; of its name where it cannot be read."""
    path: str
    genre: str
    language: str | None = None
    licence: str | None = None
    link: str | None = None
    note: str | None = None
    status: Literal["used", "refused"]
    reason: str | None = None
    """A short code, where refused."""
    detail: str | None = None
    """What was found, what was expected, what to do."""
    length_s: float | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    audio_hz: int | None = None
    clips: int = 0
    refused_lengths: dict[str, str] = Field(default_factory=dict[str, str])
    """Clip lengths that did not fit, with the reason for each."""


class DatasetInfo(_Row):
    """How a dataset folder was made."""

    format_version: int
    offbeat_version: str
    av_version: str
    ffmpeg_version: str
    settings: dict[str, object]
    """The resolved settings of the build."""
    sources_used: int
    sources_refused: int
    clips: int
    variants: int
    complete: bool
    """False while a build is under way or was interrupted."""
