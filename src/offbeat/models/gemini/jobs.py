"""The names of batches, and what the service says where it does not tell of one.

A job is known by its name and by a mark of the key and the address under which it was handed over: another key is told
that there is no such job, which must not be taken for its end. Until the service has given it a name it is known by one
of ours, by which it is looked for in the list of jobs: the answer to the handing over, or the process, may be lost.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, cast
from urllib.parse import urlencode

from offbeat.errors import ModelError, TransientError
from offbeat.models.gemini.connection import Connection
from offbeat.models.gemini.errors import Said, error_for, inside, plain
from offbeat.models.gemini.rest import Rest

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


async def name_of(job: str, connection: Connection) -> str:
    """The name of a job as the service knows it.

    Raises:
        TransientError: it was handed over with another key, or to another address; or it cannot be told now.
        ModelError: it is no job of this service.
    """
    spec = connection.rest.spec
    match = _JOB.fullmatch(job)
    if match is None:
        raise ModelError(plain(f"{spec}: {job!r} is no batch of this service, expected such as batches/abc@1f2e3d4c"))
    if match[2] != connection.scope[:_MARK_DIGITS]:
        raise TransientError(f"{spec}: {match[1]} was handed over with another key, or to another address; use that")
    return match[1] if _NAME.fullmatch(match[1]) else await _looked_up(match[1], connection.rest)


async def _looked_up(display_name: str, rest: Rest) -> str:
    """The service's name of a job that is known by ours."""
    path = "batches?pageSize=100"
    for _ in range(_MOST_PAGES):
        page = await rest.get(path, refused=not_told)
        listed = page.get("operations")
        for operation in cast("list[object]", listed) if isinstance(listed, list) else []:
            if inside(operation, "metadata").get("displayName") == display_name:
                name = str(cast("dict[str, Any]", operation).get("name"))
                if _NAME.fullmatch(name):
                    return name
        if not (following := page.get("nextPageToken")):
            break
        path = f"batches?{urlencode({'pageSize': 100, 'pageToken': following})}"
    raise ModelError(f"{rest.spec}: the server has no batch {display_name}: it was never taken")


def not_told(said: Said, spec: str) -> ModelError:
    """For one who collects, all but "there is no such thing" is for later: what is paid for must not be given up."""
    error = error_for(said, spec)
    return ModelError(str(error)) if said.code == 404 else TransientError(str(error), retry_after_s=said.retry_after_s)
