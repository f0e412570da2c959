"""Collecting a batch: its results, from a list or a file, each known by its key and never by its place.

Each is looked at like the answer to a single call. What cannot be read, or is not there, is given back without a reply,
and is asked again; so is a question whose upload expired before its turn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from google.genai import errors as client_errors

from offbeat.errors import ModelError, TransientError
from offbeat.models.base import BatchItem, Collected, Reply
from offbeat.models.gemini.connection import Connection
from offbeat.models.gemini.errors import CLIENT_ERRORS, UploadGone, error_for, error_from, plain, said_by, said_in
from offbeat.models.gemini.jobs import inside, name_of, not_told, told_of
from offbeat.models.gemini.reading import reply_from
from offbeat.models.gemini.settings import Settings
from offbeat.models.gemini.wire import response_from

_PENDING = {"PENDING", "QUEUED", "RUNNING", "PAUSED", "UPDATING", "CANCELLING", "UNSPECIFIED"}


async def collect(connection: Connection, settings: Settings, job: str, items: Sequence[BatchItem]) -> Collected:
    """What there is of the job.

    Raises:
        TransientError: it cannot be told now, or not with this key.
        ModelError: there is no such job any more.
    """
    value = await told_of(connection, settings, await name_of(job, connection, settings))
    metadata = inside(value, "metadata")
    state = str(metadata.get("state", "UNSPECIFIED")).removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
    if state in _PENDING and not value.get("done"):
        return Collected(state="pending", replies={}, note=plain(state.lower()))
    found = await _results(connection, settings, inside(metadata, "output") or inside(value, "response"))
    asked = {item.key: item for item in items}
    replies: dict[str, Reply | ModelError] = {}
    unreadable = 0
    for result in found:
        key = result.get("key") or inside(result, "metadata").get("key")
        if not isinstance(key, str):
            unreadable += 1
        elif key in asked:
            replies[key] = _reply(result, settings, asked[key])
    note = state.lower()
    if error := inside(value, "error"):
        note += f": {error.get('message', 'no reason given')}"
    if unreadable:
        note += f"; {unreadable} results could not be read"
    if missing := len(asked.keys() - replies.keys()):
        note += f"; {missing} of {len(asked)} questions have no result"
    return Collected(state="ended", replies=replies, note=plain(note))


async def _results(connection: Connection, settings: Settings, output: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Each result; an empty one for what is none."""
    spec = f"gemini:{settings.model}"
    found: list[object] = []
    if isinstance(listed := inside(output, "inlinedResponses").get("inlinedResponses"), list):
        found += cast("list[object]", listed)
    if isinstance(name := output.get("responsesFile"), str):
        try:
            content = await connection.client.aio.files.download(file=name)
        except client_errors.APIError as failure:
            raise not_told(said_by(failure), spec) from None
        except CLIENT_ERRORS as failure:
            raise TransientError(str(error_from(failure, spec))) from None
        found += [_line(line) for line in content.split(b"\n") if line.strip()]
    return [cast("dict[str, Any]", result) if isinstance(result, dict) else {} for result in found]


def _line(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _reply(result: Mapping[str, Any], settings: Settings, item: BatchItem) -> Reply | ModelError:
    """One result; what would have been raised by a single call stands in its place."""
    spec = f"gemini:{settings.model}"
    try:
        if failed := result.get("error") or result.get("status"):
            raise error_for(said_in(failed), spec)
        response = response_from(result.get("response"), spec)
        return reply_from(response, settings=settings, row=item.variant.row, prompt=item.prompt)
    except UploadGone as error:
        return TransientError(f"{error}. The upload expired before the batch came to it")
    except ModelError as error:
        return error
