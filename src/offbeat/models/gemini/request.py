"""What is sent: the clip, then the words, and how the model is to look and to answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from google.genai import types

from offbeat.dataset.variant import Variant
from offbeat.models.base import Prompt
from offbeat.models.gemini.settings import Settings

MP4 = "video/mp4"
_CLIENTS_OWN = {"should_return_http_response", "automatic_continuation", "automatic_function_calling"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A variant's file, whole.

    Attributes:
        data: its bytes.
        sha256: of them, by which an upload is found again.
    """

    data: bytes
    sha256: str


def clip_of(variant: Variant) -> Clip:
    """Read, or in the compact layout rendered: not for the event loop."""
    data = variant.mp4_bytes()
    return Clip(data=data, sha256=hashlib.sha256(data).hexdigest())


def contents_of(settings: Settings, prompt: Prompt, media: bytes | str) -> list[types.Content]:
    """One turn: the clip before the words, as the service advises for a single video.

    Args:
        settings: how to look at it.
        prompt: the words.
        media: the clip's bytes, or the address of its upload.
    """
    if isinstance(media, str):
        video = types.Part(file_data=types.FileData(file_uri=media, mime_type=MP4))
    else:
        video = types.Part(inline_data=types.Blob(data=media, mime_type=MP4))
    if settings.fps is not None:
        video.video_metadata = types.VideoMetadata(fps=settings.fps)
    if settings.processing == "static":
        # else a model may browse the video as it sees fit, and the frame rate means nothing
        video.media_processing = types.MediaProcessing.STATIC
    return [types.Content(role="user", parts=[video, types.Part(text=prompt.text)])]


def config_of(
    settings: Settings, prompt: Prompt, *, max_output_tokens: int, logprobs: int
) -> types.GenerateContentConfig:
    """How to answer. The client is told to do one call, and to hand over what came back, unread."""
    config = types.GenerateContentConfig(
        max_output_tokens=max_output_tokens,
        temperature=settings.temperature,
        store=False,
        should_return_http_response=True,
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    if prompt.system is not None:
        config.system_instruction = types.Content(parts=[types.Part(text=prompt.system)])
    if settings.media_resolution != "default":
        config.media_resolution = types.MediaResolution(f"MEDIA_RESOLUTION_{settings.media_resolution.upper()}")
    if isinstance(settings.thinking, int):
        config.thinking_config = types.ThinkingConfig(thinking_budget=settings.thinking)
    elif settings.thinking is not None:
        config.thinking_config = types.ThinkingConfig(thinking_level=types.ThinkingLevel(settings.thinking.upper()))
    if logprobs:
        config.response_logprobs, config.logprobs = True, logprobs
    return config


def as_json(contents: list[types.Content], config: types.GenerateContentConfig) -> dict[str, Any]:
    """The same request as a line of a batch's file holds it."""
    fields = config.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=_CLIENTS_OWN)
    outside = {name: fields.pop(name) for name in ("systemInstruction", "store") if name in fields}
    turns = [turn.model_dump(mode="json", by_alias=True, exclude_none=True) for turn in contents]
    return {"contents": turns, "generationConfig": fields, **outside}
