"""The names of batches, and what the service says where it does not tell of one.

A job is known by its name and by a mark of the key and the address under which it was handed over: another key is told
that there is no such job, which must not be taken for its end. Until the service has given it a name it is known by one
of ours, by which it is looked for in the list of jobs: the answer to the handing over, or the process, may be lost. Our
name tells when it was made: what is not listed soon after may be on its way, and is not given up before its time.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
import uuid
from typing import Any, cast
from urllib.parse import urlencode

from offbeat.errors import ModelError, RequestRejected, TransientError
from offbeat.models.gemini.connection import Connection
from offbeat.models.gemini.errors import MORE_TIME, Said, error_for, inside, plain
from offbeat.models.gemini.rest import Rest

_NAME = re.compile(r"batches/[A-Za-z0-9_-]+")
_OURS = r"offbeat-(?:(?P<made>[0-9a-f]{8})-)?[0-9a-f]{32}"
_JOB = re.compile(rf"(?P<name>{_NAME.pattern}|{_OURS})@(?P<mark>[0-9a-f]{{8}})")
_MARK_DIGITS = 8
_MOST_PAGES = 100
"""Of 100 jobs each, the newest first."""
SETTLED_S = 1800
"""From the name of a job on. On the slowest line that `offbeat.models.gemini.bounds` allows, 17 MB and a limit of 300 s
take 1,400 s, after which nobody waits for the answer; the rest is for a service that is slow to list what it has."""


def name_of_ours() -> str:
    """A name that no other job has, with the second in which it was made."""
    return f"offbeat-{int(time.time()):08x}-{uuid.uuid4().hex}"


def marked(name: str, connection: Connection) -> str:
    """The name of a job as it is kept, such as ``batches/abc@1f2e3d4c``."""
    return f"{name}@{connection.scope[:_MARK_DIGITS]}"


async def name_of(job: str, connection: Connection, *, limit_s: float) -> str:
    """The name of a job as the service knows it; where it has to be looked for, within this time in all.

    Raises:
        TransientError: it was handed over with another key, or to another address; or it cannot be told now.
        RequestRejected: it was never taken.
        ModelError: it is no job of this service, or cannot be found.
    """
    spec = connection.rest.spec
    match = _JOB.fullmatch(job)
    if match is None:
        raise ModelError(plain(f"{spec}: {job!r} is no batch of this service, expected such as batches/abc@1f2e3d4c"))
    name, made = match["name"], match["made"]
    if match["mark"] != connection.scope[:_MARK_DIGITS]:
        raise TransientError(f"{spec}: {name} was handed over with another key, or to another address; use that")
    if _NAME.fullmatch(name):
        return name
    try:
        async with asyncio.timeout(limit_s):
            found = await _looked_up(name, connection.rest)
    except TimeoutError:
        raise TransientError(
            f"{spec}: {name} was not found in the list of batches within {limit_s:g} s{MORE_TIME}"
        ) from None
    if found is not None:
        return found
    left_s = 0.0 if made is None else int(made, 16) + SETTLED_S - time.time()
    if left_s > 0:
        raise TransientError(
            f"{spec}: the server lists no batch {name}, but may have taken it all the same; "
            f"in {math.ceil(left_s / 60)} min it is given up, and its questions are handed over anew"
        )
    raise RequestRejected(f"{spec}: the server has no batch {name}: it was never taken")


async def _looked_up(display_name: str, rest: Rest) -> str | None:
    """The service's name of a job that is known by ours; None where it lists none."""
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
            return None
        path = f"batches?{urlencode({'pageSize': 100, 'pageToken': following})}"
    raise ModelError(f"{rest.spec}: {display_name} is not on the first {_MOST_PAGES} pages of the list of batches")


def not_told(said: Said, spec: str) -> ModelError:
    """For one who collects, all but "there is no such thing" is for later: what is paid for must not be given up."""
    error = error_for(said, spec)
    return ModelError(str(error)) if said.code == 404 else TransientError(str(error), retry_after_s=said.retry_after_s)
