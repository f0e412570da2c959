"""Handing over a batch, at half the price (ai.google.dev/gemini-api/docs/batch-api).

A batch whose clips fit into one request is sent as a list; a larger one as a file of lines, whose clips are uploads. An
upload must outlive the job, so that one of which less is left is made anew. Of hundreds of uploads some break off: each
is tried again for as long as one request may take, and what is there already stays there for the next command.

Should the service's answer be lost, the batch may be under way all the same. Each is given a name of ours, noted before
it is sent, by which it is then looked for (`offbeat.models.gemini.jobs`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from google.genai import errors as client_errors
from google.genai import types

from offbeat.errors import MediaError, ModelError, NotHandedOver, RateLimited, RequestRejected, TransientError
from offbeat.models.base import BatchItem
from offbeat.models.gemini.connection import Connection
from offbeat.models.gemini.errors import CLIENT_ERRORS, error_from
from offbeat.models.gemini.jobs import marked, name_of_ours
from offbeat.models.gemini.request import Clip, as_json, clip_of, config_of, contents_of
from offbeat.models.gemini.settings import Settings
from offbeat.models.keys import redacted

LIST_LIMIT_BYTES = 13_000_000
"""Of the clips together; base64 makes them a third longer, and the whole request must stay below 20 MB."""
WHOLE_JOB_S = 40 * 3600.0
"""How long an upload must be there yet to be used in a batch, which may take 24 hours and more."""
UPLOADS_AT_ONCE = 8
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
MOST_FAILURES = 10
"""Of clips; with so many, hundreds more would be uploaded in vain."""
LINES = "application/jsonl"

T = TypeVar("T")


async def submit(
    connection: Connection, settings: Settings, items: Sequence[BatchItem], *, note: Callable[[str], None]
) -> str:
    """Hand over the questions.

    Args:
        connection: to the service.
        settings: how they are asked.
        items: the questions.
        note: is told a name of the job before it is sent.

    Returns:
        The name of the job.

    Raises:
        NotHandedOver: there are clips that cannot be read, or that the service will not have.
        ModelError: it was not taken; with usage None where nobody can tell.
    """
    spec = f"gemini:{settings.model}"
    small = await _together(items)
    src: str | list[types.InlinedRequest]
    if small is not None:
        src = [_inlined(settings, item, clip) for item, clip in zip(items, small, strict=True)]
    else:
        lines = "\n".join(await _lines(connection, settings, items)).encode() + b"\n"
        src = (await _patiently(lambda: connection.uploads.upload(lines, LINES), limit_s=settings.timeout_s)).name
    config = types.CreateBatchJobConfig(display_name=name_of_ours())
    note(marked(config.display_name or "", connection))
    try:
        job = await connection.client.aio.batches.create(model=settings.model, src=cast("Any", src), config=config)
    except CLIENT_ERRORS as failure:
        error = error_from(failure, spec)
        if isinstance(failure, client_errors.ServerError):
            error.usage = None  # a gateway's, perhaps: the batch may have been taken behind it
        raise error from None
    if not job.name:
        raise ModelError(f"{spec}: the server took a batch and gave no name for it", usage=None)
    # with the key in it, it is none to be kept: then ours goes on to stand for it
    return marked(job.name if redacted(job.name) == job.name else config.display_name or "", connection)


async def _together(items: Sequence[BatchItem]) -> list[Clip] | None:
    """The clips, where they fit into one request."""
    clips: list[Clip] = []
    failures: dict[str, ModelError] = {}
    total = 0
    for item in items:
        if (clip := await _read(item, failures)) is None:
            continue
        total += len(clip.data)
        if total > LIST_LIMIT_BYTES:
            return None
        clips.append(clip)
    if failures:
        raise NotHandedOver(failures)
    return clips


async def _lines(connection: Connection, settings: Settings, items: Sequence[BatchItem]) -> list[str]:
    """The questions as lines, their clips uploaded; few clips are in memory at once."""
    gate = asyncio.Semaphore(UPLOADS_AT_ONCE)
    failures: dict[str, ModelError] = {}

    async def line(item: BatchItem) -> str:
        async with gate:
            if (clip := await _read(item, failures)) is None:
                return ""
            try:
                uri = await _patiently(
                    lambda: connection.uploads.uri_of(clip, good_for_s=WHOLE_JOB_S), limit_s=settings.timeout_s
                )
            except RequestRejected as error:
                _note(failures, item, f"{item.variant.row.file_name}: {error}")
                return ""
        request = as_json(contents_of(settings, item.prompt, uri), _config(settings, item))
        return json.dumps({"key": item.key, "request": request})

    tasks = [asyncio.ensure_future(line(item)) for item in items]
    try:
        lines = await asyncio.gather(*tasks)
    finally:
        # where one fails, the others must not go on uploading
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if failures:
        raise NotHandedOver(failures)
    return lines


async def _read(item: BatchItem, failures: dict[str, ModelError]) -> Clip | None:
    try:
        return await asyncio.to_thread(clip_of, item.variant)
    except (MediaError, OSError) as error:
        _note(failures, item, str(error))
        return None


def _note(failures: dict[str, ModelError], item: BatchItem, why: str) -> None:
    """Go on without a clip, unless the fault most likely is not its own.

    Raises:
        RequestRejected: there are too many of them.
    """
    failures[item.key] = RequestRejected(why)
    if len(failures) >= MOST_FAILURES:
        raise RequestRejected(f"{len(failures)} clips cannot be handed over; the last of them: {why}")


async def _patiently(upload: Callable[[], Awaitable[T]], *, limit_s: float) -> T:
    """What an upload gives; one that fails in a way that may pass is begun anew within this time."""
    until = time.monotonic() + limit_s
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await upload()
        except (RateLimited, TransientError) as error:
            wait_s = max(error.retry_after_s or 0.0, pause_s)
            if time.monotonic() + wait_s > until:
                raise
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        await asyncio.sleep(wait_s)


def _inlined(settings: Settings, item: BatchItem, clip: Clip) -> types.InlinedRequest:
    return types.InlinedRequest(
        contents=cast("Any", contents_of(settings, item.prompt, clip.data)),
        config=_config(settings, item),
        metadata={"key": item.key},
    )


def _config(settings: Settings, item: BatchItem) -> types.GenerateContentConfig:
    # without log-probabilities: a model that gives none would refuse each question of the batch
    return config_of(settings, item.prompt, max_output_tokens=settings.max_output_tokens, logprobs=0)
