"""``openai:MODEL``: any server that speaks OpenAI's chat format and takes video, such as vLLM or DashScope.

The clip goes out at a constant rate with an even number of frames (`offbeat.models.sending`), its sound untouched. A
model asks once a call: whether and when to ask again is the runner's business. Clips are rendered and sent a few at a
time, and are let go of as they are sent, so that calls that wait for an answer hold none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import httpx2

from offbeat.dataset.variant import Variant
from offbeat.errors import MediaError, ModelError, TransientError
from offbeat.models.base import Prompt, Reply
from offbeat.models.openai.connections import Connections
from offbeat.models.openai.errors import error_inside, failure_of, transport_failure
from offbeat.models.openai.payload import mapping_of, payload_of
from offbeat.models.openai.presets import host_of, is_near
from offbeat.models.openai.reading import reply_of
from offbeat.models.openai.receiving import received
from offbeat.models.openai.settings import settings_from
from offbeat.models.openai.usage import most_usage
from offbeat.models.openai.wire import SOUND, VIDEO, Body, body_of
from offbeat.models.sending import constant_rate_mp4, frames_sent, wav_bytes

SENT_AT_ONCE = 8
"""How many clips are in memory, on their way out."""
_MOST_RESPONSE_BYTES = 16 << 20
_MOST_BYTES_A_CANDIDATE = 256
"""Beyond, for each candidate in each token's place: a model that thinks has many."""


class OpenAI:
    """A model on a server that speaks OpenAI's chat format: vLLM, SGLang, DashScope, MiMo, Fireworks, OpenRouter.

    The options are those of `offbeat.models.openai.settings.Options`.

    Args:
        argument: the model, as the server knows it.
        seed: not used: sent along, it would make all repeats of a question alike.

    Raises:
        ModelUnavailable: an option is not what it should be, the server is not known, or the key is missing.
    """

    def __init__(
        self,
        *,
        argument: str,
        seed: int = 0,
        preset: str | None = None,
        base_url: str | None = None,
        key_env: str | None = None,
        fps: float | str = 8,
        height: int | None = None,
        audio: str | None = None,
        logprobs: int | None = None,
        stream: bool | None = None,
        max_tokens: int = 512,
        temperature: float | None = 0.0,
        served: str | None = None,
        extra: Mapping[str, Any] | None = None,
        timeout_s: float = 600.0,
    ) -> None:
        self.settings = settings_from(
            argument,
            {
                "preset": preset,
                "base_url": base_url,
                "key_env": key_env,
                "fps": fps,
                "height": height,
                "audio": audio,
                "logprobs": logprobs,
                "stream": stream,
                "max_tokens": max_tokens,
                "temperature": temperature,
                "served": served,
                "extra": {} if extra is None else extra,
                "timeout_s": timeout_s,
            },
        )
        near = is_near(host_of(self.settings.base_url))
        self._connections = Connections(timeout_s=timeout_s, trust_env=not near)
        self._sending: asyncio.Semaphore | None = None

    @property
    def name(self) -> str:
        """``openai:`` and the model."""
        return self.settings.spec

    @property
    def revision(self) -> str:
        """Everything that may change an answer: server, rate, budget and so on."""
        return self.settings.revision

    @property
    def price_name(self) -> str | None:
        """``dashscope/MODEL`` and the like; None on a server of one's own."""
        if self.settings.free:
            return None
        name = self.settings.preset_name
        return f"{self.settings.host if name == 'plain' else name}/{self.settings.model}"

    def expected_usage(self, variant: Variant, prompt: Prompt) -> Mapping[str, int]:
        """An upper bound, from the variant's row alone."""
        return most_usage(self.settings, variant.row, prompt)

    async def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """Ask once.

        Raises:
            RateLimited, TransientError: see `offbeat.models.openai.errors`.
            RequestRejected: the same.
            ModelUnavailable: the same, or another model has answered.
            ModelError: the clip cannot be read, or the server counts no tokens for its sound.
        """
        if self._sending is None:
            self._sending = asyncio.Semaphore(SENT_AT_ONCE)
        turn = _Turn(self._sending)
        async with turn:
            body = await self._body(variant, prompt)
            sent = {"frames_sent": frames_sent(variant, fps=self.settings.options.fps), "bytes_sent": body.length}
            status, headers, raw = await self._post(body, turn)
        reply = self._read(status, headers, raw, prompt)
        return replace(reply, details={**reply.details, **sent})

    async def close(self) -> None:
        """Let go of the connections."""
        self._sending = None
        await self._connections.close()

    async def _body(self, variant: Variant, prompt: Prompt) -> Body:
        settings = self.settings
        try:
            video = await asyncio.to_thread(
                constant_rate_mp4,
                variant,
                fps=settings.options.fps,
                height=settings.options.height,
                sound=settings.sound_sent,
            )
            media = {VIDEO: video}
            if settings.preset.audio == "part":
                media[SOUND] = await asyncio.to_thread(wav_bytes, variant)
        except MediaError as error:
            raise ModelError(f"{variant.row.file_name}: {error}") from error
        return Body(body_of(settings, prompt), media)

    async def _post(self, body: Body, turn: _Turn) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the response; the turn ends as soon as the request is out."""
        headers = {"content-type": "application/json", "content-length": str(body.length)}
        if self.settings.key is not None:
            headers["authorization"] = f"Bearer {self.settings.key}"
        url = f"{self.settings.base_url}/chat/completions"
        candidates = self.settings.options.max_tokens * (1 + self.settings.preset.top_logprobs)
        most = _MOST_RESPONSE_BYTES + candidates * _MOST_BYTES_A_CANDIDATE

        sent = False

        async def content() -> AsyncIterator[bytes]:
            nonlocal sent
            async for piece in body.pieces():
                yield piece
            sent = True
            turn.end()

        try:
            async with (
                self._connections.client() as client,
                client.stream("POST", url, headers=headers, content=content()) as response,
            ):
                raw = await received(response, most_bytes=most)
                if raw is None:
                    raise TransientError(f"{self.name}: the answer is longer than {most >> 20} MiB", usage=None)
                return response.status_code, response.headers, raw
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # without the cause: it holds the request, and with it the key
            raise transport_failure(self.name, error, sent=sent) from None
        finally:
            body.drop()

    def _read(self, status: int, headers: Mapping[str, str], raw: bytes, prompt: Prompt) -> Reply:
        if status == 200:
            payload = payload_of(raw, spec=self.name)
            inside = error_inside(payload)
            if inside is None:
                return reply_of(payload, self.settings, prompt)
            status = inside
        else:
            payload = _object_in(raw)
        failure = failure_of(self.name, status, headers, payload, raw[:2000].decode("utf-8", errors="replace"))
        if isinstance(failure, ModelError):
            raise failure
        return failure


class _Turn:
    """A place among those that are sending; given back once, at the end of sending or of the call."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places, self._held = places, False

    async def __aenter__(self) -> None:
        await self._places.acquire()
        self._held = True

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        if self._held:
            self._held = False
            self._places.release()


def _object_in(raw: bytes) -> dict[str, Any]:
    try:
        return payload_of(raw, spec="")
    except TransientError:
        return mapping_of(None)
