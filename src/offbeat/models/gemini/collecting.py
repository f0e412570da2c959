"""Collecting a batch: its results, from a list or a file, each known by its key and never by its place.

Each is looked at like the answer to a single call. What cannot be read, or is not there, is given back without a reply,
and is asked again; so is a question whose upload expired before its turn.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from offbeat.errors import ModelError, TransientError
from offbeat.models.base import BatchItem, Collected, Reply
from offbeat.models.gemini.connection import Connection
from offbeat.models.gemini.errors import Said, UploadGone, error_for, inside, plain, said_in
from offbeat.models.gemini.jobs import name_of, not_told
from offbeat.models.gemini.reading import reply_from
from offbeat.models.gemini.rest import Rest
from offbeat.models.gemini.settings import Settings
from offbeat.models.gemini.wire import response_from

KEPT = timedelta(hours=48)
"""A file, by the service; it does not say how long results are (ai.google.dev/gemini-api/docs/files)."""
_ENDED = {"SUCCEEDED", "PARTIALLY_SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"}
"""A job in a state that is not known here is not given up, unless the service says that it is done."""


async def collect(connection: Connection, settings: Settings, job: str, items: Sequence[BatchItem]) -> Collected:
    """What there is of the job.

    Raises:
        TransientError: it cannot be told now, or not with this key.
        RequestRejected: it was never taken.
        ModelError: there is no such job any more.
    """
    name = await name_of(job, connection, limit_s=settings.timeout_s)
    value = await connection.rest.get(name, refused=not_told)
    metadata = inside(value, "metadata")
    state = str(metadata.get("state", "UNSPECIFIED")).removeprefix("JOB_STATE_").removeprefix("BATCH_STATE_")
    if state not in _ENDED and not value.get("done"):
        return Collected(state="pending", replies={}, note=plain(state.lower()))
    output = inside(metadata, "output") or inside(value, "response")
    asked = {item.key: item for item in items}
    replies: dict[str, Reply | ModelError] = {}
    unreadable = 0
    async for result in _results(connection.rest, output, ended_at=metadata.get("endTime")):
        key = result.get("key") or inside(result, "metadata").get("key")
        if not isinstance(key, str):
            unreadable += 1
        elif key in asked and not isinstance(replies.get(key), Reply):  # a second result takes no answer away
            replies[key] = _reply(result, settings, asked[key])
    if state.endswith("SUCCEEDED") and not replies and not _long_ago(metadata.get("endTime")):
        # such as a proxy's page, or a list that is not there yet: to hand it over anew would be to pay for it twice
        raise TransientError(
            plain(
                f"{connection.rest.spec}: {name} has succeeded, but there is no result in what the server gives for it "
                f"({unreadable} could not be read)"
            )
        )
    note = state.lower()
    if error := inside(value, "error"):
        note += f": {error.get('message', 'no reason given')}"
    if unreadable:
        note += f"; {unreadable} results could not be read"
    if missing := len(asked.keys() - replies.keys()):
        note += f"; {missing} of {len(asked)} questions have no result"
    return Collected(state="ended", replies=replies, note=plain(note))


async def _results(rest: Rest, output: Mapping[str, Any], *, ended_at: object) -> AsyncGenerator[Mapping[str, Any]]:
    """Each result; an empty one for what is none."""

    def refused(said: Said, spec: str) -> ModelError:
        error = not_told(said, spec)
        return ModelError(str(error)) if said.code == 403 and _long_ago(ended_at) else error

    if isinstance(listed := inside(output, "inlinedResponses").get("inlinedResponses"), list):
        for result in cast("list[object]", listed):
            yield _fields(result)
    if isinstance(name := output.get("responsesFile"), str):
        async for line in rest.lines(f"{name}:download?alt=media", refused=refused):
            if line.strip():
                yield _line(line)


def _long_ago(ended_at: object) -> bool:
    """Whether the results may be deleted by now: of a file that is gone the service says 403, as of somebody else's."""
    try:
        return datetime.now(UTC) - datetime.fromisoformat(str(ended_at)) > KEPT
    except (ValueError, TypeError):
        return False


def _line(line: bytes) -> Mapping[str, Any]:
    try:
        return _fields(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _fields(value: object) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


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
