"""The body of a request: JSON around a clip in base64, streamed, so that the clip is let go of as it is sent.

Media go before the text: the other way round, one server was seen to answer at random.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from offbeat.models.base import Prompt
from offbeat.models.openai.settings import Settings, number_of
from offbeat.models.sending import base64_length, base64_pieces

VIDEO = "\x00video\x00"
SOUND = "\x00sound\x00"
"""Where base64 goes; no wording of a question holds U+0000."""


def body_of(settings: Settings, prompt: Prompt) -> dict[str, Any]:
    """The request as a JSON object, with `VIDEO` and `SOUND` where base64 goes."""
    preset, options = settings.preset, settings.options
    fps = number_of(options.fps)
    video: dict[str, Any] = {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{VIDEO}"}}
    if preset.fps_in == "part":
        video["fps"] = fps
    content = [video]
    if preset.audio == "part":
        content.append(_sound_part(preset.audio_part))
    content.append({"type": "text", "text": prompt.text})
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if prompt.system is not None:
        messages.insert(0, {"role": "system", "content": prompt.system})
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": messages,
        preset.limit_name: options.max_tokens,
        "stream": preset.stream,
    }
    if options.temperature is not None:
        body["temperature"] = options.temperature
    if preset.stream:
        body["stream_options"] = {"include_usage": True}
    if preset.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": preset.top_logprobs}
    processor: dict[str, Any] = {}
    if preset.audio_in_video and preset.audio == "video":
        processor["use_audio_in_video"] = True
    if preset.fps_in == "processor":
        processor |= {"fps": fps, "second_per_grid_ts": [float(preset.frames_a_grid / options.fps)]}
    if processor:
        body["mm_processor_kwargs"] = processor
    if preset.every_frame:
        # twice the clip's rate: at the rate itself, some loaders round a frame away
        body["media_io_kwargs"] = {"video": {"num_frames": -1, "fps": number_of(2 * options.fps)}}
    return body | dict(preset.extra)


class Body:
    """A body that is read once, piece by piece, and holds nothing afterwards.

    Attributes:
        length: in bytes.
    """

    def __init__(self, body: Mapping[str, Any], media: Mapping[str, bytes]) -> None:
        """Put media in their places.

        Args:
            body: as of `body_of`.
            media: by `VIDEO` and `SOUND`; those that the body has a place for.
        """
        text = json.dumps(body)
        self._parts: list[tuple[bool, bytes]] = [(False, text.encode())]
        for place, data in media.items():
            self._put(json.dumps(place)[1:-1].encode(), data)
        self.length = sum(base64_length(part) if is_media else len(part) for is_media, part in self._parts)

    def _put(self, place: bytes, data: bytes) -> None:
        for number, (is_media, part) in enumerate(self._parts):
            before, found, after = (part, b"", b"") if is_media else part.partition(place)
            if found:
                self._parts[number : number + 1] = [(False, before), (True, data), (False, after)]
                return

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body; each part is let go of when it has been sent."""
        self._parts.reverse()
        while self._parts:
            is_media, part = self._parts.pop()
            if not is_media:
                yield part
                continue
            for piece in base64_pieces(part):
                yield piece

    def drop(self) -> None:
        """Let go of what was not sent."""
        self._parts.clear()


def _sound_part(kind: str) -> dict[str, Any]:
    if kind == "audio_url":
        return {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{SOUND}"}}
    return {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}
