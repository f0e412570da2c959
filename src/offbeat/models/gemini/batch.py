"""Many questions at once, at half the price, within a day (ai.google.dev/gemini-api/docs/batch-api).

A batch whose clips fit into one request is sent as a list; a larger one as a file of lines, whose clips are uploads. An
upload must outlive the job, so that one of which less is left is made anew. What comes back is known by its key, never
by its place. A question whose result cannot be read, or is not there, is given back without a reply.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import httpx2
from google.genai import types

from offbeat.errors import ModelError, RateLimited, TransientError
from offbeat.models.base import BatchItem, Collected, Reply
from offbeat.models.gemini.connection import KEY_HEADER, Connection
from offbeat.models.gemini.errors import CLIENT_ERRORS, UploadGone, error_for, error_from, plain, said_in
from offbeat.models.gemini.reading import reply_from
from offbeat.models.gemini.request import Clip, as_json, clip_of, config_of, contents_of
from offbeat.models.gemini.settings import Settings
from offbeat.models.gemini.wire import response_from

LIST_LIMIT_BYTES = 13_000_000
"""Of the clips together; base64 makes them a third longer, and the whole request must stay below 20 MB."""
WHOLE_JOB_S = 40 * 3600.0
"""How long an upload must be there yet to be used in a batch, which may take 24 hours and more."""
UPLOADS_AT_ONCE = 8
LINES = "application/jsonl"
_JOB = re.compile(r"batches/[A-Za-z0-9_-]+")
_PENDING = {"PENDING", "QUEUED", "RUNNING", "PAUSED", "UPDATING", "CANCELLING", "UNSPECIFIED"}


async def submit(connection: Connection, settings: Settings, items: Sequence[BatchItem]) -> str:
    """Hand over the questions; the name of the job.

    Raises:
        ModelError: it was not taken.
    """
    spec = f"gemini:{settings.model}"
    small = await _together(items)
    if small is not None:
        src: str | list[types.InlinedRequest] = [
            _inlined(settings, item, clip) for item, clip in zip(items, small, strict=True)
        ]
    else:
        lines = await _lines(connection, settings, items)
        uploaded = await connection.uploads.upload("\n".join(lines).encode() + b"\n", LINES)
        src = uploaded.name
    try:
        job = await connection.client.aio.batches.create(
            model=settings.model, src=cast("Any", src), config=types.CreateBatchJobConfig(display_name="offbeat")
        )
    except CLIENT_ERRORS as failure:
        raise error_from(failure, spec) from None
    if not job.name:
        raise ModelError(f"{spec}: the server took a batch and gave no name for it", usage=None)
    return job.name


async def collect(connection: Connection, settings: Settings, job: str, items: Sequence[BatchItem]) -> Collected:
    """What there is of the job.

    Raises:
        TransientError: it cannot be told now.
        ModelError: there is no such job any more.
    """
    spec = f"gemini:{settings.model}"
    if not _JOB.fullmatch(job):
        raise ModelError(f"{spec}: {job!r} is no batch of this service, expected batches/…")
    value = await _job(connection, settings, job)
    metadata = _of(value, "metadata")
    state = str(metadata.get("state", "UNSPECIFIED")).removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
    if state in _PENDING and not value.get("done"):
        return Collected(state="pending", replies={}, note=state.lower())
    entries, unreadable = await _entries(connection, settings, _of(metadata, "output") or _of(value, "response"))
    replies: dict[str, Reply | ModelError] = {}
    asked = {item.key: item for item in items}
    for key, entry in entries:
        if key in asked:
            replies[key] = _reply(entry, settings, asked[key])
    note = state.lower()
    if error := _of(value, "error"):
        note += f": {error.get('message', 'no reason given')}"
    if unreadable:
        note += f"; {unreadable} results could not be read"
    if missing := len(asked.keys() - replies.keys()):
        note += f"; {missing} of {len(asked)} questions have no result"
    return Collected(state="ended", replies=replies, note=plain(note))


async def _together(items: Sequence[BatchItem]) -> list[Clip] | None:
    """The clips, where they fit into one request."""
    clips: list[Clip] = []
    total = 0
    for item in items:
        clip = await asyncio.to_thread(clip_of, item.variant)
        total += len(clip.data)
        if total > LIST_LIMIT_BYTES:
            return None
        clips.append(clip)
    return clips


async def _lines(connection: Connection, settings: Settings, items: Sequence[BatchItem]) -> list[str]:
    """The questions as lines, their clips uploaded; few clips are in memory at once."""
    gate = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def line(item: BatchItem) -> str:
        async with gate:
            clip = await asyncio.to_thread(clip_of, item.variant)
            uri = await connection.uploads.uri_of(clip, good_for_s=WHOLE_JOB_S)
        return json.dumps(
            {"key": item.key, "request": as_json(contents_of(settings, item.prompt, uri), _config(settings, item))}
        )

    return await asyncio.gather(*(line(item) for item in items))


def _inlined(settings: Settings, item: BatchItem, clip: Clip) -> types.InlinedRequest:
    return types.InlinedRequest(
        contents=cast("Any", contents_of(settings, item.prompt, clip.data)),
        config=_config(settings, item),
        metadata={"key": item.key},
    )


def _config(settings: Settings, item: BatchItem) -> types.GenerateContentConfig:
    # without log-probabilities: a model that gives none would refuse each question of the batch
    return config_of(settings, item.prompt, max_output_tokens=settings.max_output_tokens, logprobs=0)


async def _job(connection: Connection, settings: Settings, job: str) -> Mapping[str, Any]:
    """The job as the server tells it.

    Asked for past the client, which gives up a whole batch, paid for as it is, where one of its errors has details that
    are not text (google-genai 3.4.0, `types.JobError.details`), and which drops the job's own error.
    """
    spec = f"gemini:{settings.model}"
    url = f"{settings.base_url}/{settings.api_version}/{job}"
    try:
        answer = await connection.http.get(url, headers={KEY_HEADER: connection.key})
        value: object = answer.json() if answer.is_success else None
    except (httpx2.HTTPError, ValueError) as failure:
        raise _later(error_from(failure, spec)) from None
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    try:
        said: object = answer.json()
    except ValueError:
        said = answer.text
    error = error_for(said_in(said, code=answer.status_code, headers=answer.headers), spec)
    raise _later(error)


async def _entries(
    connection: Connection, settings: Settings, output: Mapping[str, Any]
) -> tuple[list[tuple[str, Mapping[str, Any]]], int]:
    """Results by key, from the list or the file, and how many cannot be read."""
    found: list[object] = []
    if isinstance(listed := _of(output, "inlinedResponses").get("inlinedResponses"), list):
        found += cast("list[object]", listed)
    if isinstance(name := output.get("responsesFile"), str):
        try:
            content = await connection.client.aio.files.download(file=name)
        except CLIENT_ERRORS as failure:
            raise _later(error_from(failure, f"gemini:{settings.model}")) from None
        found += [_line(line) for line in content.split(b"\n") if line.strip()]
    entries: list[tuple[str, Mapping[str, Any]]] = []
    for entry in found:
        fields = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
        key = fields.get("key") or _of(fields, "metadata").get("key")
        if isinstance(key, str):
            entries.append((key, fields))
    return entries, len(found) - len(entries)


def _line(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _later(error: ModelError) -> ModelError:
    """The same for one who collects: what may pass is asked for later."""
    if isinstance(error, RateLimited | TransientError):
        return TransientError(str(error), retry_after_s=error.retry_after_s)
    return ModelError(str(error))


def _reply(entry: Mapping[str, Any], settings: Settings, item: BatchItem) -> Reply | ModelError:
    """One result; what would have been raised by a single call stands in its place."""
    spec = f"gemini:{settings.model}"
    try:
        if failed := entry.get("error") or entry.get("status"):
            raise error_for(said_in(failed), spec)
        response = response_from(entry.get("response"), spec)
        return reply_from(response, settings=settings, row=item.variant.row, prompt=item.prompt)
    except UploadGone as error:
        return TransientError(f"{error}. The upload expired before the batch came to it")
    except ModelError as error:
        return error


def _of(value: object, field: str) -> Mapping[str, Any]:
    """An object inside another; an empty one where it is not there."""
    inner = cast("dict[str, Any]", value).get(field) if isinstance(value, dict) else None
    return cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
