"""What can be set, and how a specification says it.

``FOLDER_OR_REPO[video-only]`` and ``FOLDER_OR_REPO[fps=8]`` are models of their own, with that name, so that one run
can hold several beside the plain one, and the report shows them side by side. What stands in brackets wins over
options.

The default of 2 frames a second is the makers': the published rows were made with it.
Two frames make one token, so that the model gets one token's time a second, and a delay below a second shows in what is
seen in the frames alone; at 8 it has four. That is worth a row of its own (``[fps=8]``), not another default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from offbeat.errors import ModelUnavailable
from offbeat.models.qwen.controls import CONTROLS, Control
from offbeat.models.qwen.grid import Sampler
from offbeat.timing import exact_seconds

_IN_BRACKETS = re.compile(r"(?P<source>.*?)\[(?P<inside>[^\[\]]*)\]", re.DOTALL)
VERSION = 2
"""Goes up whenever the same clip may get another reply."""


class Settings(BaseModel):
    """All that a user can set; the fields are the options of ``--option``, and those of the brackets."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    control: Control = "none"
    fps: Annotated[float | int, Field(gt=0, le=60)] = 2
    sampler: Sampler = "grid"
    max_pixels: Annotated[int, Field(ge=28 * 28)] | None = None
    height: Annotated[int, Field(ge=28)] | None = None
    answer: Literal["both", "text", "probabilities"] = "both"
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 16
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    device: Annotated[str, Field(pattern=r"^[a-z]+(:\d+)?$")] | None = None
    attention: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = "sdpa"
    batch: Annotated[int, Field(ge=1, le=1024)] = 7
    hub_revision: str | None = None

    @property
    def exact_fps(self) -> Fraction:
        """Frames a second."""
        return exact_seconds(self.fps)

    @property
    def revision(self) -> str:
        """What may change an answer, beside the weights."""
        shown = {
            "control": self.control,
            "fps": f"{self.fps:g}",
            "sampler": self.sampler,
            "max_pixels": self.max_pixels or "makers",
            "height": self.height or "own",
            "answer": self.answer,
            "max_new_tokens": self.max_new_tokens,
            "dtype": self.dtype,
            "attention": self.attention,
        }
        return f"{VERSION} " + " ".join(f"{name}={value}" for name, value in shown.items())


def read_argument(argument: str, options: Mapping[str, object]) -> tuple[str, Settings]:
    """The checkpoint that is meant, and the settings, checked.

    Raises:
        ModelUnavailable: a setting is not what it should be.
    """
    in_brackets = _IN_BRACKETS.fullmatch(argument)
    source = str(in_brackets["source"]) if in_brackets else argument
    given = {**options, **(_inside(argument, str(in_brackets["inside"])) if in_brackets else {})}
    try:
        return source, Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"][:1]))
        raise ModelUnavailable(f"'qwen-omni:{argument}': {name}: {first['msg']}, got {first['input']!r}") from None


def name_of(argument: str, settings: Settings) -> str:
    """As it was asked for; a control that was given as an option stands in brackets too."""
    if settings.control == "none" or settings.control in argument:
        return f"qwen-omni:{argument}"
    if argument.endswith("]"):
        return f"qwen-omni:{argument[:-1]},{settings.control}]"
    return f"qwen-omni:{argument}[{settings.control}]"


def _inside(argument: str, text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals and name in CONTROLS:
            name, value = "control", name
        elif not equals or not name:
            raise ModelUnavailable(
                f"'qwen-omni:{argument}': {part.strip()!r} in brackets; expected NAME=VALUE, or one of "
                f"{', '.join(CONTROLS)}"
            )
        if name in found:
            raise ModelUnavailable(f"'qwen-omni:{argument}': {name} is given twice")
        found[name] = _value(value)
    return found


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text
