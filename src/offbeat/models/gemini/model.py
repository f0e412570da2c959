"""Gemini, asked through the service of Google: ``gemini:gemini-3.8-flash``; needs the extra ``gemini``.

A clip below a limit travels in the request, a larger one is uploaded first. Each reply is one call, except that a call
whose file has expired is made again after another upload, that one asking for log-probabilities which the model does
not give is made again without, and that a reply cut off by the output budget, which thoughts may have eaten, is asked
for once more with twice the budget; what both used is added up, and the details say so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from offbeat.dataset.variant import Variant
from offbeat.errors import ModelError, ModelUnavailable, TransientError
from offbeat.models.base import BatchItem, Collected, JsonValue, Prompt, Reply
from offbeat.models.gemini import collecting, submitting
from offbeat.models.gemini.connection import Connection, connect
from offbeat.models.gemini.errors import CLIENT_ERRORS, NoLogprobs, UploadGone, error_from
from offbeat.models.gemini.reading import reply_from
from offbeat.models.gemini.request import clip_of, config_of, contents_of
from offbeat.models.gemini.settings import HOST, settings_from
from offbeat.models.gemini.tokens import added, expected_usage
from offbeat.models.gemini.wire import response_in

ONE_CALL_S = 3600.0
"""How long an upload must be there yet to be used in a call."""

_log = logging.getLogger(__name__)


class Gemini:
    """A model of the Gemini API of Google, such as ``gemini:gemini-3.8-flash``.

    Args:
        argument: the model's name.
        seed: not used: the service promises nothing for it, and repeats are to differ.
        fps: frames a second that the model looks at, above 0 and at most 24; null leaves it to the service: one.
        processing: `static`: every frame is shown; `default`: the model's own way, which may be to browse.
        media_resolution: `low`, `medium`, `high`, or `default`.
        thinking: a level from Gemini 3 on, a budget in tokens for Gemini 2.5; null leaves it to the model.
        max_output_tokens: thoughts and words together.
        temperature: null does not send it; from Gemini 3.6 on it is ignored.
        logprobs: how many tokens' log-probabilities to ask for; most models give none.
        inline_limit_mb: larger clips are uploaded.
        api_version: of the service.
        base_url: of the service.
        timeout_s: of each request, see `offbeat.models.gemini.bounds`, and until an upload is ready.
        token_check: whether an answer without tokens for picture and sound is an error.

    Raises:
        ModelUnavailable: a setting is not what it should be.
    """

    def __init__(
        self,
        *,
        argument: str,
        seed: int = 0,
        fps: float | None = 8,
        processing: str = "static",
        media_resolution: str = "default",
        thinking: int | str | None = None,
        max_output_tokens: int = 4096,
        temperature: float | None = None,
        logprobs: int = 0,
        inline_limit_mb: float = 13,
        api_version: str = "v1beta",
        base_url: str = HOST,
        timeout_s: float = 300,
        token_check: bool = True,
    ) -> None:
        self._settings = settings_from(
            argument,
            {
                "fps": fps,
                "processing": processing,
                "media_resolution": media_resolution,
                "thinking": thinking,
                "max_output_tokens": max_output_tokens,
                "temperature": temperature,
                "logprobs": logprobs,
                "inline_limit_mb": inline_limit_mb,
                "api_version": api_version,
                "base_url": base_url,
                "timeout_s": timeout_s,
                "token_check": token_check,
            },
        )
        self._connection: Connection | None = None
        self._logprobs = self._settings.logprobs
        self._served: set[str] = set()

    @property
    def name(self) -> str:
        """Such as ``gemini:gemini-3.8-flash``."""
        return f"gemini:{self._settings.model}"

    @property
    def revision(self) -> str:
        """All settings that may change an answer."""
        return self._settings.revision

    @property
    def price_name(self) -> str:
        """Such as ``gemini/gemini-3.8-flash``."""
        return f"gemini/{self._settings.model}"

    def expected_usage(self, variant: Variant, prompt: Prompt) -> Mapping[str, int]:
        """The most that a reply may use, both calls of one that is cut off included."""
        return expected_usage(self._settings, variant.row, prompt)

    def expected_usage_in_batch(self, variant: Variant, prompt: Prompt) -> Mapping[str, int]:
        """The most that a question of a batch may use: nothing is asked twice there."""
        return expected_usage(self._settings, variant.row, prompt, calls=1)

    async def reply(self, variant: Variant, prompt: Prompt) -> Reply:
        """Ask about the clip.

        Raises:
            ModelError: there is no reply; of the kinds that `offbeat.models.gemini.errors` and `reading` describe.
        """
        budget = self._settings.max_output_tokens
        first = await self._ask(variant, prompt, budget)
        if first.details.get("finish_reason") != "MAX_TOKENS":
            return first
        try:
            second = await self._ask(variant, prompt, 2 * budget)
        except ModelError as error:
            error.usage = (
                added(_counts(first.usage), _counts(error.usage)) if first.usage and error.usage is not None else None
            )
            raise
        details: dict[str, JsonValue] = {
            "calls": 2,
            "first_finish_reason": "MAX_TOKENS",
            "max_output_tokens": 2 * budget,
        }
        # where one of the two did not tell, nobody knows what both used
        told = first.usage and second.usage
        usage: dict[str, JsonValue] = dict(added(_counts(first.usage), _counts(second.usage))) if told else {}
        return replace(second, usage=usage, details={**second.details, **details})

    async def submit(self, items: Sequence[BatchItem], *, note: Callable[[str], None]) -> str:
        """Hand over a batch, at half the price; see `offbeat.models.gemini.submitting`."""
        return await submitting.submit(self._open(), self._settings, items, note=note)

    async def collect(self, job: str, items: Sequence[BatchItem]) -> Collected:
        """What there is of a batch; see `offbeat.models.gemini.collecting`."""
        try:
            connection = self._open()
        except ModelUnavailable as error:
            # without the key: the batch is there all the same
            raise TransientError(str(error)) from None
        return await collecting.collect(connection, self._settings, job, items)

    async def close(self) -> None:
        """Let go of the connections; the next call opens them again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._settings)
        return self._connection

    async def _ask(self, variant: Variant, prompt: Prompt, budget: int) -> Reply:
        """One reply, with this output budget."""
        media, sha256 = await self._media(variant)
        try:
            body = await self._call(media, prompt, budget)
        except UploadGone:
            if isinstance(media, bytes):
                raise
            await self._open().uploads.forget(sha256, media)
            body = await self._call_once_more(variant, prompt, budget)
        reply = reply_from(response_in(body, self.name), settings=self._settings, row=variant.row, prompt=prompt)
        self._watch(reply.details["served_model"])
        details: dict[str, JsonValue] = {**reply.details, "sent": "inline" if isinstance(media, bytes) else "upload"}
        if self._settings.logprobs and not self._logprobs:
            details["logprobs"] = "the model gives none"
        return replace(reply, details=details)

    def _watch(self, served: JsonValue) -> None:
        """Say where the service moves the name from one snapshot to the next: both pass as the model asked for."""
        if not isinstance(served, str) or served in self._served:
            return
        if self._served:
            _log.warning(
                "%s: %s answers now, beside %s: the service is moving the name, and the run holds answers of both; "
                "`served_model` in each answer's details says which",
                self.name,
                served,
                ", ".join(sorted(self._served)),
            )
        self._served.add(served)

    async def _media(self, variant: Variant) -> tuple[bytes | str, str]:
        """The clip's bytes, or the address of its upload, and its SHA-256; no bytes are held beside an address."""
        clip = await asyncio.to_thread(clip_of, variant)
        if len(clip.data) <= self._settings.inline_limit_bytes:
            return clip.data, clip.sha256
        return await self._open().uploads.uri_of(clip, good_for_s=ONE_CALL_S), clip.sha256

    async def _call_once_more(self, variant: Variant, prompt: Prompt, budget: int) -> str:
        """The call on an upload that is made anew."""
        media, _ = await self._media(variant)
        try:
            return await self._call(media, prompt, budget)
        except UploadGone as error:
            raise ModelUnavailable(
                f"{error}. The clip was uploaded twice: check billing of the key's project, which may lose its files"
            ) from None

    async def _call(self, media: bytes | str, prompt: Prompt, budget: int) -> str:
        """The body of one call; without log-probabilities from the moment that the model declines them."""
        logprobs = self._logprobs
        try:
            return await self._generate(media, prompt, budget, logprobs)
        except NoLogprobs as error:
            if not logprobs:
                raise
            if self._logprobs:
                _log.warning("%s: asking without log-probabilities from now on", error)
            self._logprobs = 0
        return await self._generate(media, prompt, budget, 0)

    async def _generate(self, media: bytes | str, prompt: Prompt, budget: int, logprobs: int) -> str:
        models = self._open().client.aio.models
        contents = contents_of(self._settings, prompt, media)
        config = config_of(self._settings, prompt, max_output_tokens=budget, logprobs=logprobs)
        try:
            answer = await models.generate_content(model=self._settings.model, contents=contents, config=config)
        except CLIENT_ERRORS as failure:
            raise error_from(failure, self.name) from None
        return (answer.sdk_http_response.body if answer.sdk_http_response else None) or ""


def _counts(usage: Mapping[str, object]) -> dict[str, int]:
    return {kind: count for kind, count in usage.items() if isinstance(count, int)}
