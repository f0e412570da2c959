"""What a server with OpenAI's chat format says, and what it refuses: one wire for each preset.

It takes a request apart as the real server would, decodes what it was sent, and answers 400 with a reason where
something is not as that server wants it. `complaints` holds all the reasons, so that a test can demand that there be
none. ``servers.openai_wire:vllm`` and the like are wires for a server in a process of its own.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av

from servers.stand_in import Request, Response, say

PRESETS = ("plain", "vllm", "vllm-omni", "sglang", "dashscope", "mimo", "fireworks", "openrouter")
FIELDS = {"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options", "temperature"}
MORE_FIELDS = {
    "vllm": {"logprobs", "top_logprobs", "mm_processor_kwargs", "media_io_kwargs"},
    "vllm-omni": {"logprobs", "top_logprobs", "mm_processor_kwargs", "media_io_kwargs", "modalities"},
    "sglang": {"logprobs", "top_logprobs"},
    "dashscope": {"modalities"},
    "mimo": {"thinking"},
    "fireworks": {"logprobs", "top_logprobs"},
}
MOST_TOP = {"vllm": 20, "vllm-omni": 20, "sglang": 20, "fireworks": 5}


class RefusedError(Exception):
    """The real server would answer 400 with this text."""


@dataclass(frozen=True)
class Clip:
    """What arrived as a video.

    Attributes:
        mp4: its bytes.
        fps: constant, or the request was refused.
        frames: how many.
        has_sound: a sound track inside.
    """

    mp4: bytes = field(repr=False)
    fps: Fraction
    frames: int
    has_sound: bool

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.mp4).hexdigest()


def sync(_: Clip) -> str:
    return "sync"


@dataclass
class OpenAIWire:
    """The wire of one kind of server.

    Attributes:
        preset: which kind.
        answer: the text said about a clip.
        served: the model that says that it has answered; None: the one that was asked.
        key: that has to be sent; None: none may be.
        logprobs: of the first tokens, as `content`; made up from the answer where None.
        usage: put over what is counted; a value of None takes a field away.
        changes: put over the completion at its top.
    """

    preset: str = "plain"
    answer: Callable[[Clip], str] = sync
    served: str | None = None
    key: str | None = None
    logprobs: list[dict[str, Any]] | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    choice: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    clips: list[Clip] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        try:
            return self._answered(request)
        except RefusedError as error:
            self.complaints.append(str(error))
            return say({"error": {"message": str(error), "type": "BadRequestError", "code": 400}}, 400)

    def _answered(self, request: Request) -> Response:
        demand((request.method, request.path) == ("POST", "/v1/chat/completions"), f"404: {request.target}")
        demand(request.headers.get("content-type") == "application/json", "the content type is not application/json")
        demand("content-length" in request.headers, "411: no content-length")
        demand(not request.query, "a query; keys belong into a header")
        sent = request.headers.get("authorization")
        if sent != (None if self.key is None else f"Bearer {self.key}"):
            return say({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401)
        body = json.loads(request.body)
        clip = check(self.preset, body)
        self.clips.append(clip)
        whole = self._completion(body, clip)
        return streamed(whole) if body["stream"] else say(whole)

    def _completion(self, body: Mapping[str, Any], clip: Clip) -> dict[str, Any]:
        text = self.answer(clip)
        usage: dict[str, Any] = {"prompt_tokens": 40 + clip.frames * 10 + 50, "completion_tokens": 2, "total_tokens": 0}
        usage["prompt_tokens_details"] = {"cached_tokens": 0, "video_tokens": clip.frames * 10, "audio_tokens": 50}
        usage |= self.usage
        logprobs = None
        if body.get("logprobs"):
            logprobs = {"content": self.logprobs if self.logprobs is not None else tokens_of(text)}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        completion = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": self.served or body["model"],
            "choices": [{**choice, "logprobs": logprobs, **self.choice}],
            "usage": {name: value for name, value in usage.items() if value is not None},
        }
        return completion | dict(self.changes)


def tokens_of(text: str) -> list[dict[str, Any]]:
    """Log-probabilities such as vLLM sends: of each token and of the likeliest in its place, in bytes too."""
    first = [(text, 0.7), (f" {text}", 0.1), ("ahead" if text != "ahead" else "sync", 0.15), ("The", 0.05)]
    return [
        {
            "token": text,
            "logprob": math.log(0.7),
            "bytes": list(text.encode()),
            "top_logprobs": [
                {"token": token, "logprob": math.log(chance), "bytes": list(token.encode())} for token, chance in first
            ],
        }
    ]


def streamed(whole: Mapping[str, Any]) -> Response:
    """The same as server-sent events: letter by letter, usage in a piece of its own, [DONE]."""
    (choice,) = whole["choices"]
    base = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    message = choice["message"]
    pieces: list[dict[str, Any]] = [{**base, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}]
    for name in ("reasoning_content", "content"):
        pieces += [
            {**base, "choices": [{"index": 0, "delta": {name: letter}, "finish_reason": None}]}
            for letter in message.get(name) or ""
        ]
    pieces.append({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    pieces.append({**base, "choices": [], "usage": whole["usage"]})
    lines = [b": keep-alive\n\n", *(f"data: {json.dumps(piece)}\n\n".encode() for piece in pieces), b"data: [DONE]\n\n"]
    return Response(body=tuple(lines), headers={"content-type": "text/event-stream"})


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RefusedError(otherwise)


def check(preset: str, body: Mapping[str, Any]) -> Clip:
    """What the request holds, if the server of this kind would take it."""
    unknown = set(body) - FIELDS - MORE_FIELDS.get(preset, set())
    demand(not unknown, f"extra fields not permitted: {sorted(unknown)}")
    demand(isinstance(body.get("model"), str) and bool(body["model"]), "model: field required")
    limit = "max_completion_tokens" if preset == "mimo" else "max_tokens"
    demand(isinstance(body.get(limit), int) and body[limit] > 0, f"{limit}: field required")
    roles = [message["role"] for message in body["messages"]]
    demand(roles in (["user"], ["system", "user"]), f"messages: roles {roles}")
    parts = body["messages"][-1]["content"]
    kinds = [part["type"] for part in parts]
    demand(kinds[0] == "video_url" and kinds[-1] == "text" and bool(parts[-1]["text"]), f"messages: parts {kinds}")
    clip = clip_in(parts[0]["video_url"]["url"])
    demand(clip.frames % 2 == 0, f"an odd number of frames: {clip.frames}")
    sounds = kinds[1:-1]
    demand(sounds == (["audio_url"] if preset == "fireworks" else []), f"messages: parts {kinds}")
    if sounds:
        seconds = wav_seconds(parts[1]["audio_url"]["url"])
        demand(abs(seconds - clip.frames / clip.fps) <= 2 / clip.fps, f"sound of {seconds} s beside the picture")
    else:
        demand(clip.has_sound, "no sound in the video")
    top = body.get("top_logprobs", 0)
    demand(top <= MOST_TOP.get(preset, 0), f"Requested sample logprobs of {top}, which is greater than max allowed")
    if preset.startswith("vllm"):
        check_vllm(body, clip)
    if preset == "vllm-omni":
        demand(body.get("modalities") == ["text"], "it would speak")
    if preset == "dashscope":
        demand(body["stream"] is True, "This model only support stream mode, please enable the stream parameter")
        demand(body.get("stream_options") == {"include_usage": True}, "no usage will come")
        demand(body.get("modalities") == ["text"], "it would speak")
    if preset == "mimo":
        demand(set(parts[0]) == {"type", "video_url", "fps"}, f"unknown in the video part: {sorted(parts[0])}")
        demand(0.1 <= parts[0]["fps"] <= 10 and parts[0]["fps"] == float(clip.fps), f"fps {parts[0]['fps']}")
        demand(body.get("thinking") == {"type": "disabled"}, "it would think")
    return clip


def check_vllm(body: Mapping[str, Any], clip: Clip) -> None:
    processor = body.get("mm_processor_kwargs", {})
    demand(processor.get("use_audio_in_video") is True, "the sound of the video would be left out")
    demand(processor.get("fps") == float(clip.fps), f"fps {processor.get('fps')} said, {clip.fps} sent")
    grid_s = processor.get("second_per_grid_ts")
    demand(grid_s == [float(2 / clip.fps)], f"two frames of {clip.fps} a second, and a grid of {grid_s} s")
    # by loaders that count frames, 32 unless said, and by those that count seconds, 2 frames each unless said
    said = {"num_frames": 32, "fps": 2, **body.get("media_io_kwargs", {}).get("video", {})}
    counted = clip.frames if said["num_frames"] == -1 else min(said["num_frames"], clip.frames)
    timed = min(math.floor(clip.frames / float(clip.fps) * said["fps"]), clip.frames)
    demand(counted == timed == clip.frames, f"{counted} or {timed} frames of {clip.frames} would be taken")


def clip_in(url: str) -> Clip:
    """Decode a data url; every frame's stamp is looked at."""
    head, _, data = url.partition(",")
    demand(head == "data:video/mp4;base64", f"expected a data url of an MP4, got {url[:40]}")
    try:
        mp4 = base64.b64decode(data, validate=True)
    except ValueError as error:
        raise RefusedError(f"Incorrect padding: {error}") from error
    digest = hashlib.sha256(mp4).hexdigest()
    if digest in _SEEN:
        return _SEEN[digest]
    with av.open(io.BytesIO(mp4), format="mp4") as container:
        stream = container.streams.video[0]
        stamps = sorted(frame.pts * Fraction(stream.time_base) for frame in container.decode(stream))
        has_sound = bool(container.streams.audio)
        fps = Fraction(stream.average_rate)
    demand(stamps == [k / fps for k in range(len(stamps))], f"no constant rate of {fps}: {stamps[:5]}")
    while len(_SEEN) >= MOST_SEEN:
        _SEEN.pop(next(iter(_SEEN)))
    return _SEEN.setdefault(digest, Clip(mp4, fps, len(stamps), has_sound))


MOST_SEEN = 64
_SEEN: dict[str, Clip] = {}
"""Clips that were looked at already: decoding is most of what a request costs here."""


def wav_seconds(url: str) -> Fraction:
    head, _, data = url.partition(",")
    demand(head == "data:audio/wav;base64", f"expected a data url of a WAV, got {url[:40]}")
    with wave.open(io.BytesIO(base64.b64decode(data, validate=True))) as file:
        return Fraction(file.getnframes(), file.getframerate())


def trusting(request: Request) -> Response:
    """Answers `sync` to whatever comes, without a look at it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "sync"}, "finish_reason": "stop"}
    return say({"model": json.loads(request.body)["model"], "choices": [choice]})


plain, vllm, vllm_omni, sglang = (OpenAIWire(name) for name in PRESETS[:4])
dashscope, mimo, fireworks, openrouter = (OpenAIWire(name) for name in PRESETS[4:])
