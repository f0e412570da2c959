"""The rows of a dataset folder: one JSON object a line, the same on disk and in memory.

`metadata.jsonl` holds one `VariantRow` a line and loads as a Hugging Face video folder; `sources.jsonl` one
`SourceRow` a line, the refused ones with their reason; `dataset.json` one `DatasetInfo`. The compact layout has a
`clips.jsonl` beside them, one `ClipRow` a line.
"""

from __future__ import annotations

import ast
import base64
import inspect
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from offbeat.timing import Label, exact_seconds

FORMAT_VERSION = 1
MOST_S = 600
"""Longest clip, and largest delay either way."""
PICTURES = "pictures"
SOUND = "sound"
"""The folders of the compact layout."""

Exact = Annotated[Fraction, BeforeValidator(exact_seconds), PlainSerializer(str)]
"""An exact fraction, `1001/30000` as text."""


def _base64(text: str) -> str:
    base64.b64decode(text, validate=True)  # its error is a ValueError
    return text


Bytes = Annotated[str, Field(max_length=1_000_000), AfterValidator(_base64)]
"""Bytes in base64."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class VariantRow(_Row):
    """One clip under one condition."""

    file_name: str
    """Relative to the dataset folder, with forward slashes."""
    variant_id: str
    """Hash of clip, condition and seed: it tells no label."""
    clip_id: str
    """Hash of source, start, length and frame rate; all variants of a clip share its picture."""
    source_id: str
    """The first 12 digits of the SHA-256 of the source file."""
    genre: str
    """As the source list says."""
    language: str | None
    """As the source list says."""
    condition: str
    """What was done to the sound: `delay`."""
    audio_delay_ms: float = Field(ge=-MOST_S * 1000, le=MOST_S * 1000)
    """By how much the sound was moved; > 0: it comes later than the picture, < 0: earlier."""
    label: Label
    """The true answer: `sync` at 0, `ahead` below, `behind` above."""
    clip_start_s: float
    """Where the picture starts in the source, counted from the start of its container."""
    clip_length_s: float = Field(gt=0, le=MOST_S)
    """As it was asked for; the picture lasts the nearest whole number of frames."""
    overlap_s: float
    """How long picture and their own sound are both in the clip: max(0, length - |delay|)."""
    fps: float = Field(gt=0)
    """Frames a second of the clip, a constant: the source's own rate."""
    width: int
    """Of the clip's picture, in pixels, upright and with square pixels."""
    height: int
    """Of the clip's picture, in pixels."""
    audio_hz: int = Field(gt=0)
    """Samples of sound a second."""
    measured_delay_ms: float | None
    """From the decoded file against the source; null where the sound is too quiet to tell, or repeats itself."""
    picture: Literal["encoded", "copied"] = "encoded"
    """Whether the picture was encoded, or the source's packets were taken over as they are."""
    picture_note: str | None = None
    """Where copying was asked for and could not be done: why."""
    sha256: str
    """Of the file."""
    draws: int = 1
    """How many windows were looked at before this one was chosen; see `select` in the settings of `dataset.json`."""
    silence_share: float | None = None
    """The share of the sound's tenths of a second that are below -60 dBFS."""
    onset_density: float | None = None
    """Onsets a second in the sound: moments at which something new sets in."""
    periodicity: float | None = None
    """How alike the onsets are to those of the unshifted sound, 0 to 1; null at a delay of 0 or without onsets."""
    periodic: bool | None = None
    """Whether the delay falls on a period of the sound (`periodicity` at least 0.6): hardly anybody can tell."""
    motion: float | None = None
    """Mean change of the picture, cuts left out: shares of the range from black to white, a second."""
    still: bool | None = None
    """Whether nothing moves in the picture."""
    scene_cut: bool | None = None
    """Whether there is a hard cut inside the clip."""
    syncability: float | None = None
    """The chance that the method `signal` gives to "in step" for the unshifted clip; null where it cannot tell."""


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
    audio_track: int | None = None
    """Which of its sound tracks was used, counted from 0."""
    sound_offset_ms: float | None = None
    """How much later its sound begins than its picture, by the container's own stamps, which are honoured."""
    clips: int = 0
    refused_lengths: dict[str, str] = Field(default_factory=dict[str, str])
    """Clip lengths that did not fit, with the reason for each."""


class KeptPicture(_Row):
    """A clip's picture in the compact layout: the file `pictures/{clip_id}.mp4`, with no sound in it."""

    sha256: str
    fps: Exact = Field(gt=0)
    """Frames a second, exactly."""
    frames: int = Field(ge=1)
    width: int = Field(ge=1)
    height: int = Field(ge=1)


class KeptSound(_Row):
    """A clip's sound in the compact layout: the file `sound/{clip_id}.mp4`, FLAC, all that its variants need."""

    sha256: str
    start_samples: int
    """Where its first sample lies in the source, counted from the start of the source's container."""
    count_samples: int = Field(ge=1)
    """How many there are, in each channel."""


class ClipRow(_Row):
    """A clip in the compact layout: what rendering its variants needs."""

    clip_id: str = Field(pattern=r"^[0-9A-Za-z_-]{1,64}$")
    """It names files, so it must be nothing but a name."""
    source_id: str
    start_s: Exact
    """Where the picture starts in the source, counted from the start of its container."""
    length_s: Exact
    """As it was asked for; the picture lasts `frames` / `fps`."""
    picture: KeptPicture
    sound: KeptSound
    audio: Literal["aac", "flac"]
    """The codec in which variants are rendered."""
    heard_from_samples: dict[str, int]
    """By `variant_id`: which sample of the source is heard with the first frame."""

    def __hash__(self) -> int:
        return hash((self.clip_id, self.picture, self.sound))

    def files(self) -> dict[str, str]:
        """Its picture and its sound, relative to the dataset folder, with their SHA-256."""
        return {picture_name(self.clip_id): self.picture.sha256, sound_name(self.clip_id): self.sound.sha256}


def picture_name(clip_id: str) -> str:
    """Where the compact layout has a clip's picture, relative to the dataset folder."""
    return f"{PICTURES}/{clip_id}.mp4"


def sound_name(clip_id: str) -> str:
    """The same for its sound."""
    return f"{SOUND}/{clip_id}.mp4"


class CurvesRow(_Row):
    """What moves and what sounds in a clip, moment by moment: see `offbeat.dataset.curves`."""

    clip_id: str
    motion: Bytes
    """Mean change of the picture at each frame: square roots, a byte each from 0 to the clip's largest, in base64."""
    onsets: Bytes
    """Onset strength of all the sound that the clip's variants need, in the same way."""
    onsets_hz: int = Field(ge=1)
    """How many of these a second."""
    onsets_start_s: float
    """When the first of them is heard if nothing is shifted, counted from the first frame."""


class Shard(_Row):
    """Which part of a list a dataset holds, where the work was shared out: see `offbeat.dataset.shard`."""

    number: int
    """From 1."""
    of: int
    """How many shards there are."""
    sources_listed: int
    """How many sources the whole list names."""
    list_sha256: str
    """Of the whole list's content, whatever its order; shards of one dataset agree in it."""


class DatasetInfo(_Row):
    """How a dataset folder was made."""

    format_version: int
    offbeat_version: str
    av_version: str
    ffmpeg_version: str
    settings: dict[str, object]
    """The resolved settings of the build."""
    shard: Shard | None = None
    """None where the dataset holds all of its list."""
    sources_used: int
    sources_refused: int
    clips: int
    variants: int
    complete: bool
    """False while a build is under way or was interrupted."""

    @property
    def layout(self) -> str:
        """`files` or `compact`."""
        return str(self.settings.get("layout", "files"))


def column_texts(kind: type[BaseModel]) -> dict[str, str]:
    """What each field of a row means, in one line, from the docstring below it.

    It is read when it is asked for: `use_attribute_docstrings` would read the source of every class in every process,
    a tenth of what it costs to start one.
    """
    (defined,) = ast.parse(inspect.getsource(kind)).body
    texts = dict.fromkeys(kind.model_fields, "")
    for pair in pairwise(defined.body if isinstance(defined, ast.ClassDef) else []):
        match pair:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = " ".join(text.split())
            case _:
                pass
    return texts
