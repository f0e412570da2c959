"""What can be set, and what is known of each generation of models.

Frame rate: the service looks at one frame a second unless told otherwise, so that a delay below a second does not show;
the default here is 8. Tokens of a frame: 258, or 66 at low resolution, up to Gemini 2.5; 70, or 280 at high resolution,
for Gemini 3 (ai.google.dev/gemini-api/docs/media-resolution). For later and unknown models both ends are kept.
Thinking: a budget in tokens for Gemini 2.5, a level from Gemini 3 on (docs/thinking), of which 3.8 and 4 know no
``minimal`` (docs/generate-content/latest-model).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from offbeat.errors import ModelUnavailable
from offbeat.models.openai.presets import is_near

HOST = "https://generativelanguage.googleapis.com"
DEFAULT_FPS = 1.0
"""What the service takes where it is told nothing."""
_GENERATION = re.compile(r"^gemini-(\d+)(?:\.(\d+))?(?:-|$)")
_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_MOST_BUDGET = 32_768

_log = logging.getLogger(__name__)


class Settings(BaseModel):
    """All that a user can set; the fields are the options of ``--option``."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
    fps: Annotated[float, Field(gt=0, le=24)] | None = 8.0
    processing: Literal["static", "default"] = "static"
    media_resolution: Literal["default", "low", "medium", "high"] = "default"
    thinking: int | str | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=32_768)] = 4096
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] = 0
    inline_limit_mb: Annotated[float, Field(ge=0, le=100)] = 13.0
    api_version: Annotated[str, Field(pattern=r"^v[0-9][0-9a-z]*$")] = "v1beta"
    base_url: str = HOST
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 300.0
    token_check: bool = True

    @field_validator("base_url")
    @classmethod
    def _is_a_plain_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("expected an address such as https://host/path, with no key or password in it")
        if parts.scheme == "http" and not is_near(parts.hostname):
            raise ValueError("the key would go there unencrypted; use https")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        if self.model.endswith("-latest"):
            raise ValueError(
                "an alias is moved to another model at any time, in the middle of a run too; name the model itself"
            )
        if self.thinking is not None:
            _check_thinking(self.thinking, generation_of(self.model))
        return self

    @property
    def inline_limit_bytes(self) -> int:
        """Of the clip; base64 adds a third. A request may have 20 MB, by now 100 (docs/video-understanding)."""
        return round(self.inline_limit_mb * 1_000_000)

    @property
    def revision(self) -> str:
        """Everything that may change an answer, in one line."""
        shown = {
            "api": self.api_version,
            "host": urlsplit(self.base_url).netloc,
            "fps": "server" if self.fps is None else f"{self.fps:g}",
            "processing": self.processing,
            "resolution": self.media_resolution,
            "thinking": "server" if self.thinking is None else self.thinking,
            "max_output_tokens": self.max_output_tokens,
            "temperature": "server" if self.temperature is None else f"{self.temperature:g}",
            "logprobs": self.logprobs,
        }
        return "1 " + " ".join(f"{name}={value}" for name, value in shown.items())


def settings_from(model: str, options: Mapping[str, object]) -> Settings:
    """The settings, checked; warns where the frames are too far apart to see a delay.

    Raises:
        ModelUnavailable: an option is not what it should be.
    """
    try:
        settings = Settings.model_validate({"model": model.removeprefix("models/"), **options})
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        what = "expected the name of a model, such as gemini:gemini-3.8-flash" if field == "model" else first["msg"]
        where = f"option {field}: " if field not in ("", "model") else ""
        told = field and not (field == "base_url" and {"@", "?"} & set(str(first["input"])))  # it may hold a key
        got = f", got {first['input']!r}" if told else ""
        raise ModelUnavailable(f"'gemini:{model}': {where}{what.removeprefix('Value error, ')}{got}") from None
    if (settings.fps or DEFAULT_FPS) <= DEFAULT_FPS:
        _log.warning(
            "gemini:%s looks at %g frame(s) a second: a delay below a second cannot be seen; type: --option fps=8",
            settings.model,
            settings.fps or DEFAULT_FPS,
        )
    return settings


def generation_of(model: str) -> tuple[int, int] | None:
    """(3, 8) of ``gemini-3.8-flash``; None of a name that tells none."""
    match = _GENERATION.match(model)
    return (int(match[1]), int(match[2] or 0)) if match else None


def frame_tokens(model: str, resolution: str) -> tuple[int, int]:
    """The fewest and the most tokens that one frame may be, by generation and media resolution."""
    generation = generation_of(model)
    if generation is None or generation[0] > 3:
        return 66, 280
    if generation[0] == 3:
        return (280, 280) if resolution == "high" else (70, 70)
    return (66, 66) if resolution == "low" else (258, 258)


def _check_thinking(thinking: int | str, generation: tuple[int, int] | None) -> None:
    """Raises ValueError where the model's generation does not take this."""
    if generation is not None and generation < (2, 5):
        raise ValueError(f"thinking: models before Gemini 2.5 do not think; leave it out, got {thinking!r}")
    if isinstance(thinking, int):
        if generation is not None and generation[0] > 2:
            raise ValueError(f"thinking: from Gemini 3 on it is a level, {_shown(generation)}, got {thinking}")
        if not -1 <= thinking <= _MOST_BUDGET:
            raise ValueError(f"thinking: a budget is -1 (the model's choice) to {_MOST_BUDGET} tokens, got {thinking}")
        return
    if generation is not None and generation[0] < 3:
        raise ValueError(f"thinking: Gemini 2.5 takes a budget in tokens, such as 1024, got {thinking!r}")
    if thinking not in levels_of(generation):
        raise ValueError(f"thinking: expected {_shown(generation)}, got {thinking!r}")


def levels_of(generation: tuple[int, int] | None) -> tuple[str, ...]:
    """The levels that a generation takes; where it is not known, all."""
    if generation is not None and generation >= (4, 0):
        return ("low", "medium", "high")
    return _LEVELS[1:] if generation is not None and generation >= (3, 8) else _LEVELS


def _shown(generation: tuple[int, int] | None) -> str:
    return ", ".join(levels_of(generation))
