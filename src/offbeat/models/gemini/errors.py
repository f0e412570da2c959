"""From what the client raises, or the server says, to the error that the runner acts upon.

| signal | error |
|---|---|
| 429, 503 with RESOURCE_EXHAUSTED | `RateLimited`; `ModelUnavailable` where waiting does not help |
| 402 (credits used up) | `ModelUnavailable` |
| 408, 499, 5xx, a reset, a time-out, half a body, a page instead of JSON | `TransientError` |
| 401, 403, 404, a 400 about the key, the country or the bill | `ModelUnavailable` |
| 403 and 404 of a file, 400 of one that is not ready | `UploadGone`, which the adapter mends once |
| 400 of log-probabilities | `NoLogprobs`, the same |
| any other 4xx, a redirect | `RequestRejected` |

Where the request may have been answered and only the answer was lost, `usage` is None: nobody knows what it cost. No
error is chained to its cause: the client's exceptions hold what the server said, which may hold the key.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx2
from google.genai import errors as client_errors

from offbeat.errors import ModelError, ModelUnavailable, RateLimited, RequestRejected, TransientError, Unreachable
from offbeat.models.gemini.bounds import TooLong
from offbeat.models.keys import redacted

LONGEST_TEXT = 500
MORE_TIME = "; more time: --option timeout_s=600"
_HOPELESS = (
    (
        re.compile(r"credits are depleted|spend(?:ing)?[ _-]?cap", re.IGNORECASE),
        "Waiting does not help: see the project's credits and spending cap at ai.studio/spend",
    ),
    (
        re.compile(r"file_?storage", re.IGNORECASE),
        "The project's store of uploads is full; the service deletes them after 48 hours, and the same command then "
        "goes on. Or more clips are sent along: --option inline_limit_mb=70",
    ),
    (
        re.compile(r"per[ _-]?day|\blimit: 0(?!\d|\.\d)", re.IGNORECASE),
        "This quota comes back tomorrow, or with another plan; the same command then goes on",
    ),
)
"""What a 429 tells where it makes no sense to ask again soon."""
_WHERE_TO_READ = re.compile(r"(?:For more information|To monitor)[^.\n]*?https?://\S+\s*")
"""Sentences of a 429 that fill its line, so that what to do would be cut off."""
_OF_THE_ACCOUNT = re.compile(r"api.?key|location is not supported|billing|API_KEY_INVALID", re.IGNORECASE)
_OF_A_FILE = re.compile(r"\bfiles?\b", re.IGNORECASE)
_NOT_READY = "ACTIVE state"
_OF_LOGPROBS = re.compile(r"log-?prob", re.IGNORECASE)
_OF_PROCESSING = re.compile(r"media_?processing", re.IGNORECASE)
_SECONDS = re.compile(r"^(\d+(?:\.\d+)?)s$")
_HTTP_OF = {1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 13: 500, 14: 503, 16: 401}
"""Codes of gRPC (google.rpc.Code), which the items of a batch carry, as the API maps them to HTTP."""
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What the client raises where an answer is no JSON, or another than it expects, or nested too deep."""


class UploadGone(RequestRejected):
    """The request refers to an upload that has expired, or was never ours, or is not ready."""


class NoLogprobs(RequestRejected):
    """The model gives no log-probabilities."""


@dataclass(frozen=True, slots=True)
class Said:
    """An error as the server put it.

    Attributes:
        code: of HTTP, or of the item of a batch.
        status: such as ``RESOURCE_EXHAUSTED``.
        message: its words.
        details: the rest, as JSON text.
        retry_after_s: from the header, or from ``RetryInfo``.
    """

    code: int
    status: str
    message: str
    details: str = ""
    retry_after_s: float | None = None


def said_in(body: object, *, code: int = 0, headers: Mapping[str, str] | None = None) -> Said:
    """What an error's body says, whatever its shape."""
    first = sole(body)
    fields = cast("dict[str, Any]", first) if isinstance(first, dict) else {"message": str(first)}
    inner = fields.get("error", fields)
    error = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {"message": str(inner)}
    given = error.get("code")
    if isinstance(given, str) and re.fullmatch("[0-9]{1,3}", given):  # as some gateways write it
        given = int(given)
    details = json.dumps(error.get("details") or "", default=str)
    return Said(
        code=code or (_HTTP_OF.get(given, given) if isinstance(given, int) else 0),
        status=str(error.get("status") or ""),
        message=str(error.get("message") or "no reason given"),
        details=details,
        retry_after_s=_after_header(headers or {}) or _after_info(error.get("details")),
    )


def inside(value: object, name: str) -> Mapping[str, Any]:
    """An object inside another; an empty one where it is not there."""
    inner = cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None
    return cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}


def sole(body: object) -> object:
    """The service wraps some errors in a list of one."""
    return cast("list[object]", body)[0] if isinstance(body, list) and body else cast("object", body)


def said_by(failure: client_errors.APIError) -> Said:
    """The same of an exception of the client."""
    response = cast("object", failure.response)
    headers = cast("Mapping[str, str]", getattr(response, "headers", None) or {})
    return said_in(cast("object", failure.details), code=failure.code, headers=headers)


def told(said: Said, spec: str) -> str:
    """What the server said, in one line."""
    message = _WHERE_TO_READ.sub("", said.message)
    return plain(f"{spec}: the server says {said.code} {said.status}: {message}").rstrip(".")


def error_for(said: Said, spec: str) -> ModelError:
    """The error for what the server said."""
    text = told(said, spec)
    if said.code == 402:
        return ModelUnavailable(f"{text}. {_HOPELESS[0][1]}")
    if said.code == 429 or (said.code == 503 and said.status == "RESOURCE_EXHAUSTED"):
        for signs, advice in _HOPELESS:
            if signs.search(said.message) or signs.search(said.details):
                return ModelUnavailable(f"{text}. {advice}")
        return RateLimited(text, retry_after_s=said.retry_after_s)
    if said.code in (408, 499) or said.code >= 500:
        return TransientError(text, retry_after_s=said.retry_after_s)
    if said.code in (403, 404) and _OF_A_FILE.search(said.message):
        # of an upload that has expired the service says 403
        return UploadGone(text)
    if said.code == 400 and _NOT_READY in said.message:
        return UploadGone(text)
    if said.code == 400 and _OF_LOGPROBS.search(said.message):
        return NoLogprobs(text)
    if said.code in (401, 403) or (said.code == 400 and _OF_THE_ACCOUNT.search(said.message + said.details)):
        return ModelUnavailable(f"{text}. Check the key, its project and its billing at aistudio.google.com")
    if said.code == 404:
        return ModelUnavailable(
            f"{text}. The model is gone, or not open to this key; ai.google.dev/gemini-api/docs/models lists them"
        )
    if said.code == 400 and _OF_PROCESSING.search(said.message):
        return RequestRejected(f"{text}. Type: --option processing=default")
    if said.code == 413:
        return RequestRejected(f"{text}. Type: --option inline_limit_mb=1, so that clips are uploaded")
    return RequestRejected(text)


def error_from(failure: Exception, spec: str) -> ModelError:
    """The error for what the client raised."""
    if isinstance(failure, client_errors.APIError):
        return error_for(said_by(failure), spec)
    if isinstance(failure, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return Unreachable(plain(f"{spec}: no connection: {_named(failure)}"))
    if isinstance(failure, httpx2.TimeoutException):
        return TransientError(plain(f"{spec}: no answer in time: {_named(failure)}{MORE_TIME}"), usage=None)
    if isinstance(failure, TooLong):
        return TransientError(f"{spec}: {failure}", usage=None)
    if isinstance(failure, httpx2.HTTPError):
        return TransientError(plain(f"{spec}: the connection broke: {_named(failure)}"), usage=None)
    return TransientError(plain(f"{spec}: the answer cannot be read: {_named(failure)}"), usage=None)


CLIENT_ERRORS: tuple[type[Exception], ...] = (client_errors.APIError, httpx2.HTTPError, *UNREADABLE)
"""What a call of the client may raise."""


def plain(text: str) -> str:
    """The text without keys, in one line, and not endless."""
    line = " ".join(redacted(text).split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]} …"


def _named(failure: Exception) -> str:
    return f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__


def _after_header(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date, in ``Retry-After`` (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value) if value[0].isdigit() else parsedate_to_datetime(value).timestamp() - time.time()
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _after_info(details: object) -> float | None:
    """Seconds in ``google.rpc.RetryInfo``, such as ``"34s"``."""
    for detail in cast("list[object]", details) if isinstance(details, list) else []:
        if isinstance(detail, dict):
            match = _SECONDS.match(str(cast("dict[str, object]", detail).get("retryDelay", "")))
            if match:
                return float(match[1])
    return None
