"""Batches as the service tells of them, asked for past the client.

The client (google-genai 3.4.0) gives up a whole batch, paid for as it is, where the details of one error in it are not
text (`types.JobError.details`), and it drops the job's own error. So the JSON is read here.

A job is known by its name and by a mark of the key and the address under which it was handed over: another key is told
that there is no such job, which must not be taken for its end. Until the service has given it a name it is known by one
of ours, by which it is looked for in the list of jobs: the answer to the handing over, or the process, may be lost.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import httpx2

from offbeat.errors import ModelError, TransientError
from offbeat.models.gemini.connection import KEY_HEADER, Connection
from offbeat.models.gemini.errors import Said, error_for, error_from, plain, said_in
from offbeat.models.gemini.settings import Settings

_NAME = re.compile(r"batches/[A-Za-z0-9_-]+")
_JOB = re.compile(rf"({_NAME.pattern}|offbeat-[0-9a-f]{{32}})@([0-9a-f]{{8}})")
_MARK_DIGITS = 8
_MOST_PAGES = 100
"""Of 100 jobs each, the newest first."""


def name_of_ours() -> str:
    """A name that no other job has."""
    return f"offbeat-{uuid.uuid4().hex}"


def marked(name: str, connection: Connection) -> str:
    """The name of a job as it is kept, such as ``batches/abc@1f2e3d4c``."""
    return f"{name}@{connection.scope[:_MARK_DIGITS]}"


async def name_of(job: str, connection: Connection, settings: Settings) -> str:
    """The name of a job as the service knows it.

    Raises:
        TransientError: it was handed over with another key, or to another address; or it cannot be told now.
        ModelError: it is no job of this service.
    """
    spec = f"gemini:{settings.model}"
    match = _JOB.fullmatch(job)
    if match is None:
        raise ModelError(plain(f"{spec}: {job!r} is no batch of this service, expected such as batches/abc@1f2e3d4c"))
    if match[2] != connection.scope[:_MARK_DIGITS]:
        raise TransientError(f"{spec}: {match[1]} was handed over with another key, or to another address; use that")
    return match[1] if _NAME.fullmatch(match[1]) else await _looked_up(match[1], connection, settings)


async def _looked_up(display_name: str, connection: Connection, settings: Settings) -> str:
    """The service's name of a job that is known by ours."""
    path = "batches?pageSize=100"
    for _ in range(_MOST_PAGES):
        page = await told_of(connection, settings, path)
        listed = page.get("operations")
        for operation in cast("list[object]", listed) if isinstance(listed, list) else []:
            if inside(operation, "metadata").get("displayName") == display_name:
                name = str(cast("dict[str, Any]", operation).get("name"))
                if _NAME.fullmatch(name):
                    return name
        if not (following := page.get("nextPageToken")):
            break
        path = f"batches?{urlencode({'pageSize': 100, 'pageToken': following})}"
    raise ModelError(f"gemini:{settings.model}: the server has no batch {display_name}: it was never taken")


async def told_of(connection: Connection, settings: Settings, path: str) -> Mapping[str, Any]:
    """The JSON at a path of the service.

    Raises:
        TransientError: it cannot be told now.
        ModelError: there is no such thing any more.
    """
    spec = f"gemini:{settings.model}"
    url = f"{settings.base_url}/{settings.api_version}/{path}"
    try:
        answer = await connection.http.get(url, headers={KEY_HEADER: connection.key})
        value: object = answer.json() if answer.is_success else None
    except (httpx2.HTTPError, ValueError) as failure:
        raise TransientError(str(error_from(failure, spec))) from None
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise not_told(said_in(_body_of(answer), code=answer.status_code, headers=answer.headers), spec)


def not_told(said: Said, spec: str) -> ModelError:
    """For one who collects, all but "there is no such thing" is for later: what is paid for must not be given up."""
    error = error_for(said, spec)
    return ModelError(str(error)) if said.code == 404 else TransientError(str(error), retry_after_s=said.retry_after_s)


def inside(value: object, field: str) -> Mapping[str, Any]:
    """An object inside another; an empty one where it is not there."""
    inner = cast("dict[str, Any]", value).get(field) if isinstance(value, dict) else None
    return cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}


def _body_of(answer: httpx2.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return answer.text
